/** What counts once counts once: the same thing at two nodes at the same moment, with one of them killed between and in the middle. */
import { parseArgs } from 'node:util'
import { startAssertingProvider } from '../../test/world/oauth/asserting-provider.ts'
import { withPostgres } from '../kill/postgres.ts'
import { makeKinds } from '../once/make-kinds.ts'
import { type Nodes, startNodes } from '../once/nodes.ts'
import { type Kind, killedRace, type Outcome, race } from '../once/race.ts'
import { openStage } from '../once/stage.ts'
import { countKilled, countRace, isOnce, newTally, type Tally, tell } from '../once/tally.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const usualRaces = 10_000
/** Of one kind, on one database: races with a kill in the middle. */
const usualKills = 2
/** Races after which what was used up is presented once more. */
const againEvery = 20
/** Kinds after which a node is killed while nothing is under way. */
const killBetweenEvery = 4

const databases = ['sqlite', 'postgres'] as const
type DatabaseName = (typeof databases)[number]

interface Scale {
  /** On each database. */
  readonly races: number
  readonly kills: number
  readonly only: string | undefined
}

/** Shows the answers of a race that was lost, won twice or met a fault. */
function tellOdd(kind: Kind, at: number, { wins, winsAgain, faults, unanswered, said }: Outcome): void {
  const isOdd = wins + winsAgain > 1 || faults > 0 || (wins + winsAgain === 0 && unanswered === 0)
  if (isOdd) console.log(`odd: ${kind.name}, race ${at}\n  ${said.join('\n  ')}`)
}

async function runKind(kind: Kind, nodes: Nodes, { races, kills }: { races: number; kills: number }): Promise<Tally> {
  const tally = newTally()
  let usuallyMs = 0
  const every = Math.max(1, Math.floor(races / (kills + 1)))
  for (let at = 0; at < races; at++) {
    if (tally.killed < kills && at % every === every - 1) {
      const killed = await killedRace(kind, nodes, {
        afterMs: Math.random() ** 2 * usuallyMs,
        isAlone: tally.killed % 2 === 0,
      })
      countKilled(tally, killed)
      tellOdd(kind, at, killed)
      continue
    }
    const isAgain = at % againEvery === 0
    const outcome = await race(kind, isAgain)
    countRace(tally, outcome, isAgain)
    tellOdd(kind, at, outcome)
    usuallyMs = usuallyMs === 0 ? outcome.tookMs : usuallyMs * 0.8 + outcome.tookMs * 0.2
  }
  return tally
}

async function runOn(name: DatabaseName, scale: Scale, env: NodeJS.ProcessEnv) {
  const provider = await startAssertingProvider()
  const nodes = await startNodes({
    CASTELLAN_OAUTH__ASSERTION_ISSUERS: provider.issuer,
    CASTELLAN_OAUTH__REGISTRATIONS_PER_HOUR: '10000',
    CASTELLAN_IDENTITY__SESSION_IDLE_MINUTES: '1440',
    ...env,
  })
  const stage = await openStage(nodes)
  const tallies: Record<string, Tally> = {}
  let close = (): void => undefined
  let killsBetween = 0
  try {
    const made = await makeKinds(stage, provider)
    close = made.close
    const kinds = made.kinds.filter((kind) => scale.only === undefined || kind.name.includes(scale.only))
    const weights = kinds.reduce((sum, { weight }) => sum + weight, 0)
    for (const [at, kind] of kinds.entries()) {
      const races = Math.max(scale.kills + 1, Math.ceil((scale.races * kind.weight) / weights))
      const startedAt = performance.now()
      const tally = (tallies[kind.name] = await runKind(kind, nodes, { races, kills: scale.kills }))
      console.log(`${name}, ${Math.round((performance.now() - startedAt) / 1_000)} s: ${tell(kind.name, tally)}`)
      if (at % killBetweenEvery !== killBetweenEvery - 1) continue
      await nodes.killSecond()
      killsBetween += 1
    }
  } finally {
    close()
    await stage.close()
    await nodes.end()
    provider.close()
  }
  return { tallies, killsBetween }
}

function runOnDatabase(name: DatabaseName, scale: Scale) {
  if (name === 'sqlite') return runOn(name, scale, {})
  return withPostgres((url) => runOn(name, scale, { CASTELLAN_DATABASE__URL: url }))
}

function readFlags(flags: readonly string[]) {
  const text = { type: 'string' } as const
  const options = { races: text, database: text, kills: text, only: text }
  const { values } = parseArgs({ args: [...flags], options })
  const races = Number(values.races ?? usualRaces)
  const kills = Number(values.kills ?? usualKills)
  if (!Number.isInteger(races) || races < 1) throw new Error('--races takes a whole number')
  if (!Number.isInteger(kills) || kills < 0) throw new Error('--kills takes a whole number')
  const on = databases.filter((name) => values.database === undefined || values.database === name)
  if (on.length === 0) throw new Error('--database takes sqlite or postgres')
  return { on, scale: { races: Math.ceil(races / on.length), kills, only: values.only } }
}

async function run(flags: readonly string[]): Promise<ProofOutcome> {
  const { on, scale } = readFlags(flags)
  const startedAt = performance.now()
  const found: Record<string, Record<string, Tally>> = {}
  let killsBetween = 0
  for (const name of on) {
    const ran = await runOnDatabase(name, scale)
    found[name] = ran.tallies
    killsBetween += ran.killsBetween
  }
  const all = Object.values(found).flatMap((tallies) => Object.values(tallies))
  const sum = (member: keyof Tally): number => all.reduce((total, tally) => total + tally[member], 0)
  return {
    holds: all.length > 0 && all.every(isOnce) && sum('faults') === 0,
    races: sum('races'),
    once: sum('once') + sum('wonBefore') + sum('wonAfter'),
    twice: sum('twice'),
    byNobody: sum('none'),
    killsInTheMiddle: sum('killed'),
    killsBetween,
    seconds: Math.round((performance.now() - startedAt) / 1_000),
    ...found,
  }
}

export const proof: Proof = {
  shows:
    'codes, tokens, challenges, links, approvals and sealed states succeed once, at two nodes, on both databases, with kills (--races, --database, --kills, --only)',
  run,
}
