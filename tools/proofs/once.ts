/** What counts once counts once: the same request at two nodes at the same moment, with one of them killed in between. */
import { parseArgs } from 'node:util'
import { startAssertingProvider } from '../../test/world/oauth/asserting-provider.ts'
import { startNodes } from '../once/nodes.ts'
import { makeRaces } from '../once/races.ts'
import type { Proof } from './contract.ts'

const usualRaces = 10_000
const killEvery = 1_000
const tellEvery = 500

export const proof: Proof = {
  shows:
    'codes, refresh tokens, proofs of possession and assertions succeed once, at two nodes, with kills between (--races)',
  async run(flags) {
    const { values } = parseArgs({ args: [...flags], options: { races: { type: 'string' } } })
    const races = Number(values.races ?? usualRaces)
    if (!Number.isInteger(races) || races < 1) throw new Error('--races takes a whole number')
    const provider = await startAssertingProvider()
    const nodes = await startNodes({
      CASTELLAN_OAUTH__ASSERTION_ISSUERS: provider.issuer,
      CASTELLAN_OAUTH__REGISTRATIONS_PER_HOUR: '10000',
      CASTELLAN_IDENTITY__SESSION_IDLE_MINUTES: '1440',
    })
    const startedAt = performance.now()
    const counts: Record<string, { races: number; won: number; none: number; twice: number }> = {}
    let [done, kills] = [0, 0]
    try {
      for (const { name, share, run } of await makeRaces(nodes, provider)) {
        const count = (counts[name] = { races: Math.max(1, Math.round(races * share)), won: 0, none: 0, twice: 0 })
        for (let at = 0; at < count.races; at++) {
          const won = await run()
          if (won === 1) count.won += 1
          else if (won === 0) count.none += 1
          else count.twice += 1
          done += 1
          if (done % tellEvery === 0)
            console.log(`${Math.round((performance.now() - startedAt) / 1_000)} s  ${done} races`)
          if (done % killEvery !== 0) continue
          await nodes.killSecond()
          kills += 1
        }
        console.log(
          `       ${name}: ${count.won} of ${count.races} won once, ${count.none} by nobody, ${count.twice} twice`,
        )
      }
    } finally {
      await nodes.end()
      provider.close()
    }
    const all = Object.values(counts)
    const holds = all.every(({ won, races: of }) => won === of)
    return { holds, races: done, kills, seconds: Math.round((performance.now() - startedAt) / 1_000), ...counts }
  },
}
