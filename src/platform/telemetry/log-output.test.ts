import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startProcess } from '../../../test/world/machine/start-process.ts'

interface Said {
  readonly longest: number
  readonly said: number
  readonly rss: number
}

const readSaid = (complaints: string) => JSON.parse(complaints) as Said

test('a reader that stalls costs lines, never time, and is told how many', async () => {
  const { child, ended, lines } = startProcess('chatty-process', [])
  child.stdout?.pause()
  // WHY: everything was said when it complains how long that took; a while later it closes its log.
  await new Promise((resolve) => child.stderr?.once('data', resolve))
  await sleep(500)
  child.stdout?.resume()
  const { code, complaints } = await ended
  expect(code).toBe(0)
  const { longest, said, rss } = readSaid(complaints)
  expect(longest).toBeLessThan(500)
  expect(rss).toBeLessThan(250_000_000)
  const read = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  const dropped = read.filter((line) => line['event.name'] === 'telemetry.lines-dropped')
  const kept = read.filter((line) => line['event.name'] === 'test.noted').length
  expect(kept).toBeLessThan(said)
  expect(dropped.reduce((sum, line) => sum + Number(line['count']), kept)).toBe(said)
})

test('a reader that has gone costs the log and nothing else', async () => {
  const { child, ended } = startProcess('chatty-process', [])
  child.stdout?.destroy()
  const { code, complaints } = await ended
  expect(code).toBe(0)
  expect(readSaid(complaints).said).toBe(20_000)
})
