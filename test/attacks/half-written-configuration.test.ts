/**
 * Someone who can write the configuration file, or a disk that filled up while it was written, makes a running castellan
 * read half of it: a half that would open what the whole keeps shut.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { temporaryFolder } from '../world/folder.ts'
import { callTool } from '../world/messages.ts'

const whole = `gateway:
  allowedNetworks:
    - 127.0.0.0/8
    - ::1
limits:
  requestsPerMinutePerPrincipal: 100000
  bodyBytes: 4096
`

proves('CFG-2', 'of a configuration that is read in the middle of being written, nothing is applied', async () => {
  const file = join(temporaryFolder(), 'castellan.yaml')
  writeFileSync(file, whole)
  const world = await startWorld({ env: { CASTELLAN_CONFIG: file } })
  const token = await world.ana.mint('books')
  const reached = world.books.arrived.length
  const reload = async () => (await world.ana.api('POST', '/config/reload', {})).body
  const big = callTool('echo', 'x'.repeat(5_000))
  let refused = 0
  for (let length = 0; length < whole.length; length += 12) {
    for (const tail of ['', '\u0000\u0000']) {
      writeFileSync(file, whole.slice(0, length) + tail)
      const { outcome, problem } = await reload()
      expect(outcome, whole.slice(0, length)).toBe('refused')
      expect(problem).toContain('castellan.yaml')
      refused += 1
    }
  }
  rmSync(file)
  expect(await reload()).toMatchObject({ outcome: 'refused', problem: expect.stringContaining('no such file') })
  expect((await world.post({ token, message: big })).status).toBe(413)
  expect(world.books.arrived).toHaveLength(reached)
  expect(await world.ledger('&event=config.reloaded')).toEqual([])
  expect(await world.ledger('&event=config.refused')).toHaveLength(refused + 1)

  writeFileSync(file, whole.replace('4096', '8192'))
  expect(await reload()).toMatchObject({ outcome: 'applied', changed: ['limits.bodyBytes'] })
  expect((await world.post({ token, message: big })).status).toBe(200)
  expect(await world.ledger('&event=config.reloaded')).toHaveLength(1)
})
