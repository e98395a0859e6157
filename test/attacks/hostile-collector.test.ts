/**
 * Who receives metrics and traces is another machine: down, slow, or taken over, so that it never ends an answer. It
 * tries to hold up the calls that it is told about, and the end of the process.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { type Mood, startOtlpCollector } from '../world/servers/otlp-collector.ts'

const calls = 100
const moods: readonly (Mood | 'gone')[] = ['fails', 'drips', 'keeps silent', 'gone']

for (const mood of moods) {
  proves(
    'OBS-4',
    `a receiver that ${mood === 'gone' ? 'is gone' : mood} holds up no call and no stop`,
    async () => {
      const collector = await startOtlpCollector()
      if (mood !== 'gone') collector.mood.current = mood
      const endpoint = mood === 'gone' ? 'http://127.0.0.1:9' : collector.url
      const world = await startWorld({ env: { CASTELLAN_TELEMETRY__OTLP_ENDPOINT: endpoint } })
      const token = await world.ana.mint('books')
      for (let index = 0; index < calls; index += 1) {
        const { status } = await world.post({ token, message: callTool('echo') })
        expect(status).toBe(200)
      }
      expect(world.books.calls('tools/call')).toHaveLength(calls)
      await expect.poll(() => world.ledger('&event=call.completed')).toHaveLength(calls)
      const before = performance.now()
      await world.stop()
      expect(performance.now() - before).toBeLessThan(8_000)
      expect(world.logLines.filter((line) => line.includes('telemetry.export-failed')).length).toBeLessThanOrEqual(2)
    },
    60_000,
  )
}
