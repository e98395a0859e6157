/**
 * How long does a decision take, through the product's own `decide`? Every call is timed by itself, so a busy machine
 * shows in p99: run it on one that does nothing else. The engine's own cost is measured beside it on the same questions.
 */
import { parseArgs } from 'node:util'
import { createRandom } from '../fuzz/random.ts'
import { askOfficially } from '../../test/world/policies/official.ts'
import { randomWorld } from '../../test/world/policies/random-world.ts'
import { buildScene, type SpeedScene } from '../policy/speed-scene.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const sizes = [10, 100, 1_000, 10_000]
const limits = { cachedP99Us: 5, uncachedP99Us: 50, listMs: 5 }
/** The size for which the limits of uncached decisions and lists are set. */
const judgedSize = 1_000
const lists = 60
const engineRequests = 40

interface Times {
  readonly p50: number
  readonly p99: number
}

/** Milliseconds of each round. */
function timesOf(rounds: number, act: (round: number) => unknown): Times {
  const times = new Float64Array(rounds)
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now()
    act(round)
    times[round] = performance.now() - startedAt
  }
  times.sort()
  const at = (share: number) => times[Math.floor((rounds - 1) * share)] ?? 0
  return { p50: at(0.5), p99: at(0.99) }
}

function inMicroseconds({ p50, p99 }: Times) {
  return { p50Us: Number((p50 * 1_000).toFixed(2)), p99Us: Number((p99 * 1_000).toFixed(2)) }
}

function measure(scene: SpeedScene, rounds: number) {
  const call = (isCached: boolean) => {
    timesOf(rounds, (round) => scene.call(round, isCached))
    return inMicroseconds(timesOf(rounds, (round) => scene.call(round, isCached)))
  }
  const [cached, uncached] = [call(true), call(false)]
  timesOf(lists, () => scene.list())
  const list = timesOf(lists, () => scene.list())
  const listMs = { p50Ms: Number(list.p50.toFixed(2)), p99Ms: Number(list.p99.toFixed(2)) }
  const found = { rules: scene.rules, compileMs: scene.compileMs, cached, uncached, listOf1000: listMs }
  console.log(JSON.stringify(found))
  return found
}

function timeOfficialDecisions() {
  const world = randomWorld(createRandom(1), { mostPolicies: 1, requests: engineRequests })
  const ask = askOfficially(world, 'speed')
  const [first, ...others] = world.requests
  if (first === undefined) throw new Error('there is nothing to ask')
  return inMicroseconds(timesOf(engineRequests, (round) => ask(others[round] ?? first)))
}

function run(flags: readonly string[]): Promise<ProofOutcome> {
  const options = { rounds: { type: 'string', default: '100000' }, most: { type: 'string', default: '10000' } } as const
  const { values } = parseArgs({ args: [...flags], options })
  const found = sizes
    .filter((size) => size <= Number(values.most))
    .map((size) => ({ size, ...measure(buildScene(size), Number(values.rounds)) }))
  const judged = found.find(({ size }) => size === judgedSize)
  const holds =
    judged !== undefined &&
    found.every(({ cached }) => cached.p99Us <= limits.cachedP99Us) &&
    judged.uncached.p99Us <= limits.uncachedP99Us &&
    judged.listOf1000.p50Ms <= limits.listMs
  return Promise.resolve({ holds, limits, found, engineWithOneRule: timeOfficialDecisions() })
}

export const proof: Proof = {
  shows: `a remembered decision takes at most ${limits.cachedP99Us} µs (p99), one with arguments among ${judgedSize} rules ${limits.uncachedP99Us} µs (p99), a list of 1,000 tools ${limits.listMs} ms (a minute; --rounds, --most)`,
  run,
}
