/**
 * A stdio server crashes whenever it is asked, and its client asks as fast as it can: each time a process is started, which
 * costs the machine more than it costs the client.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { temporaryFolder } from '../world/folder.ts'
import { callTool, initialize } from '../world/messages.ts'

const crasher = `
require('node:fs').appendFileSync(process.argv[2], process.pid + '\\n')
process.stdin.on('data', () => process.exit(7))
`

proves(
  'STD-4',
  'it is started once for each pause, the pauses grow, and callers in between are told when to come back',
  async () => {
    const world = await startWorld()
    const folder = temporaryFolder()
    const [script, pids] = [join(folder, 'crasher.cjs'), join(folder, 'pids')]
    writeFileSync(script, crasher)
    await world.ana.api('POST', '/upstreams', { name: 'crasher', command: [process.execPath, script, pids] })
    const token = await world.ana.mint('crasher')
    const open = () => world.post({ token, upstream: 'crasher', message: initialize })
    for (const waitSeconds of [1, 2, 4]) {
      expect((await open()).body).toMatchObject({ error: { data: { code: 'gateway.upstream-unreachable' } } })
      for (let time = 0; time < 5; time += 1) {
        const refused = await open()
        expect(refused.body).toMatchObject({ error: { data: { code: 'gateway.upstream-unavailable' } } })
        expect(refused.headers.get('retry-after')).toBe(String(waitSeconds))
      }
      world.clock.advance(waitSeconds * 1_000)
    }
    expect(readFileSync(pids, 'utf8').trim().split('\n')).toHaveLength(3)
    await entriesOf(world, 'event=upstream.child-ended', 3)
    const books = await world.ana.mint('books')
    expect((await world.post({ token: books, message: callTool('echo') })).body).toHaveProperty('result')
  },
  60_000,
)
