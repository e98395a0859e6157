import { setTimeout as sleep } from 'node:timers/promises'
import { createLedger } from '#audit'
import { isRefusal, systemClock } from '#kernel'
import { openDatabase } from '#platform/database'
import { openDataFolder } from '#platform/files'
import { createKeyring } from '#secrets'
import { createUpstreams } from '#upstream'

/**
 * A process of its own that opens a session with a child which ignores SIGTERM and the end of its input, and says
 * `<pid of the child> <pid of its grandchild>`. Argument: a folder.
 */
const [folder = ''] = process.argv.slice(2)
const deaf = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"
const script = `${deaf}
  const grandchild = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(deaf)}], { stdio: 'inherit' })
  process.stdin.once('data', (line) => {
    const result = { protocolVersion: '2025-11-25', capabilities: {}, pids: process.pid + ' ' + grandchild.pid }
    console.log(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(line).id, result }))
  })`

const dataFolder = openDataFolder(folder)
const database = await openDatabase({ url: 'sqlite:', dataFolder })
const ledger = await createLedger({ dataFolder, origin: 'test', clock: systemClock })
const upstreams = createUpstreams({
  database,
  ledger,
  clock: systemClock,
  sealer: createKeyring({ rootKey: new Uint8Array(32) }),
  node: 'test',
  settings: { workFolder: `${folder}/children` },
})
const upstream = await upstreams.catalog.add({ name: 'deaf', command: [process.execPath, '-e', script] })
if (isRefusal(upstream)) throw new Error(upstream.says)
const message = { kind: 'request', id: 1, method: 'initialize' } as const
const { frames } = await upstreams.exchange({
  upstream,
  ownerId: 'ada',
  era: 'legacy',
  httpMethod: 'POST',
  message,
  body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} })),
  headers: {},
  signal: new AbortController().signal,
  deadlineMs: 10_000,
})
for await (const frame of frames) {
  const { result } = JSON.parse(frame.body) as { result: { pids: string } }
  // WHY: the grandchild needs a moment until it, too, ignores the signal.
  await sleep(300)
  process.stdout.write(`${result.pids}\n`)
}
await sleep(60_000)
