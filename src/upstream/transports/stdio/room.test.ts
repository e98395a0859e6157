import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '#kernel'
import { temporaryFolder } from '../../../../test/world/folder.ts'
import { UpstreamCaller } from '../../../../test/world/servers/upstream-caller.ts'
import { defaultLimits, type UpstreamRecord } from '../transport.ts'
import { createStdio } from './stdio.ts'

/** Opens a session, and answers nothing after that if it is slow. */
function server(name: string, isSlow: boolean): UpstreamRecord {
  const asked = isSlow ? 'm.method === "initialize"' : 'm.id'
  const program = `require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const m = JSON.parse(line)
    if (${asked}) console.log(JSON.stringify({ jsonrpc: '2.0', id: m.id, result: { pid: process.pid } }))
  })`
  return { name, transport: 'stdio', command: [process.execPath, '-e', program], environment: {}, isDemo: false }
}

test('at the bound a child that is only listened to makes room, one that works never does', async () => {
  const transport = createStdio({
    clock: systemClock,
    limits: { ...defaultLimits, maxChildrenPerOwner: 2 },
    settings: { current: { eventsPerSecond: 1_000 } },
    workFolder: temporaryFolder(),
    onNews: () => undefined,
  })
  onTestFinished(() => transport.close())
  const caller = (upstream: UpstreamRecord) =>
    new UpstreamCaller({ exchange: (request) => transport.exchange(request), upstream, ownerId: 'ada' })
  const [working, listened, third] = [
    caller(server('slow', true)),
    caller(server('quick', false)),
    caller(server('quick', false)),
  ]
  const pid = Number((await working.open()).result?.['pid'])
  const answer = working.start('x').catch(() => undefined)
  await listened.open()
  expect((await listened.listen()).kind).toBe('stream')
  await third.open()
  expect((await third.ask('x')).status).toBe(200)
  expect((await listened.ask('x')).status).toBe(404)
  // WHY: a process that has gone cannot be told anything.
  expect(process.kill(pid, 0)).toBe(true)
  process.kill(pid)
  await answer
})
