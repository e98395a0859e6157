/**
 * Calls that the gateway recorded in a real ledger are replayed under a draft, and each answer is compared with one that is
 * reckoned by hand from the calls as they were made: `npm run proof -- replay [--calls 100000] [--seed 1] [--share 1]`.
 */
import { parseArgs } from 'node:util'
import { isRefusal } from '#kernel'
import type { ReplayLine } from '#policy'
import { createRandom, type Random } from '../fuzz/random.ts'
import { decideByHand, decideThen, type Expected } from '../replay/brute-force.ts'
import { recordCall, type Recorded, recordNoise } from '../replay/record-calls.ts'
import { changePolicy, makePolicy, type RandomPolicy } from '../replay/rules.ts'
import { administrator, openStage, type Stage } from '../replay/stage.ts'
import { makeCall, makeCallers } from '../replay/words.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const ruleCount = 16
const callerCount = 60
const atOnce = 250
const shown = 5
const firstMs = Date.UTC(2026, 0, 1)
/** Calls come this far apart. */
const stepMs = 20_000

interface Past {
  readonly recorded: readonly Recorded[]
  readonly old: number
  /** Calls that were decided otherwise than by hand when they were made. */
  readonly wrongThen: number
}

async function makePast(stage: Stage, random: Random, before: RandomPolicy, count: number): Promise<Past> {
  const callers = makeCallers(random, callerCount)
  const remedied = before.rules.filter(({ remedy }) => remedy !== undefined).map(({ id }) => `rules.cedar#${id}`)
  const recorded: Recorded[] = []
  let [old, wrongThen] = [0, 0]
  for (let made = 0; made < count; made += atOnce) {
    const at = firstMs + made * stepMs
    stage.setTime(at)
    const calls = Array.from({ length: Math.min(atOnce, count - made) }, () => makeCall(random, callers, at, remedied))
    const some = await Promise.all(calls.map((call) => recordCall(stage.ledger, stage.policy, call)))
    for (const one of some) {
      if (one.wasAllowed !== (decideThen(before, one.call).judged === 'allowed')) wrongThen += 1
      recorded.push(one)
    }
    const noise = await recordNoise(stage.ledger, random, makeCall(random, callers, at, []))
    if (noise === 'old') old += 1
  }
  return { recorded, old, wrongThen }
}

type Summary = Extract<ReplayLine, { kind: 'summary' }>
type Changed = Extract<ReplayLine, { kind: 'change' }>

interface Replayed {
  readonly changed: ReadonlyMap<number, Changed>
  readonly summary: Summary
  readonly isNewestFirst: boolean
  readonly mostMegabytes: number
}

async function replayAll(stage: Stage, draft: string, share: number): Promise<Replayed> {
  const { signal } = new AbortController()
  const asked = { by: administrator, policy: { draft }, filter: {}, signal, budget: { sliceMs: 4, share } }
  const lines = await stage.policy.replays.replay(asked)
  if (isRefusal(lines)) throw new Error(lines.code)
  const changed = new Map<number, Changed>()
  let summary: Summary | undefined
  let [last, isNewestFirst, mostMegabytes] = [Number.MAX_SAFE_INTEGER, true, 0]
  for await (const line of lines) {
    if (line.kind === 'progress') {
      const left = line.secondsLeft ?? '?'
      console.log(`  ${line.counts.calls} calls, ${line.callsPerSecond} per second, ${left} s left`)
    }
    if (line.kind === 'summary') summary = line
    if (line.kind !== 'change') {
      mostMegabytes = Math.max(mostMegabytes, Math.round(process.memoryUsage().rss / 2 ** 20))
      continue
    }
    isNewestFirst &&= line.seq < last
    last = line.seq
    changed.set(line.seq, line)
  }
  if (summary === undefined) throw new Error('there is no summary')
  return { changed, summary, isNewestFirst, mostMegabytes }
}

/** What is wrong with one answer; undefined where nothing is. */
function differenceOf(
  { call, seq, wasAllowed }: Recorded,
  expected: Expected,
  line: Changed | undefined,
): string | undefined {
  const isChanged = expected.judged === 'untold' || (expected.judged === 'allowed') !== wasAllowed
  const say = (what: string) => `${seq} ${call.caller.name} ${call.upstream}/${call.tool}: ${what}`
  if (isChanged !== (line !== undefined))
    return say(`by hand ${expected.judged}, replayed ${line?.after.judged ?? 'unchanged'}`)
  if (line === undefined) return undefined
  if (line.after.judged !== expected.judged) return say(`by hand ${expected.judged}, replayed ${line.after.judged}`)
  if ((line.before.judged === 'allowed') !== wasAllowed) return say('another decision then')
  const rules = line.after.reasons.map(({ rule }) => rule).toSorted()
  if (expected.rules.length > 0 && rules.join() !== expected.rules.join()) {
    return say(`by hand through ${expected.rules.join()}, replayed ${rules.join()}`)
  }
  const remedies = line.after.remedies.map(({ rule }) => rule).toSorted()
  const isKnown = expected.rules.length > 0
  return isKnown && remedies.join() !== expected.remedies.join() ? say(`other remedies: ${remedies.join()}`) : undefined
}

interface Compared {
  readonly differences: readonly string[]
  readonly expected: Record<'loosened' | 'tightened' | 'untold' | 'unchanged', number>
  readonly byPerson: ReadonlyMap<string, number>
}

function compare({ recorded }: Past, after: RandomPolicy, { changed }: Replayed): Compared {
  const expected = { loosened: 0, tightened: 0, untold: 0, unchanged: 0 }
  const byPerson = new Map<string, number>()
  const differences: string[] = []
  for (const one of recorded) {
    const byHand = decideByHand(after, one.call)
    const isSame = (byHand.judged === 'allowed') === one.wasAllowed
    const kind =
      byHand.judged === 'untold' ? 'untold' : isSame ? 'unchanged' : one.wasAllowed ? 'tightened' : 'loosened'
    expected[kind] += 1
    const { name } = one.call.caller
    if (kind !== 'unchanged') byPerson.set(name, (byPerson.get(name) ?? 0) + 1)
    const difference = differenceOf(one, byHand, changed.get(one.seq))
    if (difference !== undefined) differences.push(difference)
  }
  return { differences, expected, byPerson }
}

/** What is wrong with the figures at the end. */
function wrongFigures({ summary, isNewestFirst }: Replayed, past: Past, { expected, byPerson }: Compared): string[] {
  const { counts, totals, ended } = summary
  const people = new Map(
    totals.people.map(({ name, loosened, tightened, untold }) => [name, loosened + tightened + untold]),
  )
  const checks: readonly (readonly [string, boolean])[] = [
    ['not newest first', isNewestFirst],
    ['not whole', ended === 'whole'],
    ['loosened', counts.loosened === expected.loosened],
    ['tightened', counts.tightened === expected.tightened],
    ['untold', counts.untold === expected.untold],
    ['unchanged', counts.unchanged === expected.unchanged],
    ['not recorded', counts.notRecorded === past.old],
    ['calls', counts.calls === past.recorded.length + past.old],
    ['people', people.size === byPerson.size && [...byPerson].every(([name, count]) => people.get(name) === count)],
  ]
  return checks.filter(([, isRight]) => !isRight).map(([what]) => what)
}

async function prove(
  stage: Stage,
  { seed, calls, share }: { seed: number; calls: number; share: number },
): Promise<ProofOutcome> {
  const random = createRandom(seed)
  const before = makePolicy(random, ruleCount)
  const after = changePolicy(random, before)
  await stage.putInForce(before)
  const past = await makePast(stage, random, before, calls)
  console.log(`${past.recorded.length} calls recorded, ${stage.ledger.state().size} entries; replaying`)
  const draft = await stage.draft(after)
  const begun = process.cpuUsage()
  const replayed = await replayAll(stage, draft, share)
  const { user, system } = process.cpuUsage(begun)
  const compared = compare(past, after, replayed)
  const figures = wrongFigures(replayed, past, compared)
  for (const difference of compared.differences.slice(0, shown)) console.log(`  ${difference}`)
  if (figures.length > 0) console.log(`  wrong: ${figures.join(', ')}`)
  const { summary, mostMegabytes } = replayed
  return {
    holds: compared.differences.length === 0 && figures.length === 0 && past.wrongThen === 0,
    seed,
    calls: summary.counts.calls,
    differences: compared.differences.length,
    wrongThen: past.wrongThen,
    ...compared.expected,
    notRecorded: summary.counts.notRecorded,
    seconds: summary.seconds,
    callsPerSecond: summary.callsPerSecond,
    shareOfProcessor: share,
    processorMicrosecondsPerCall: Math.round((user + system) / Math.max(1, summary.counts.calls)),
    mostMegabytes,
  }
}

async function run(flags: readonly string[]): Promise<ProofOutcome> {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      calls: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      share: { type: 'string', default: '0.5' },
    },
  })
  const asked = { seed: Number(values.seed), calls: Number(values.calls), share: Number(values.share) }
  console.log(`seed ${asked.seed}, ${asked.calls} calls`)
  const stage = await openStage()
  try {
    return await prove(stage, asked)
  } finally {
    await stage.close()
  }
}

export const proof: Proof = {
  shows:
    'a replay of recorded calls says of each what a brute-force recomputation says, newest first, within a minute or so',
  run,
}
