/**
 * Random rules of the whole language, and random roles and policy files as the gateway reads and asks them: the product's
 * decision, an evaluator written for this proof alone and the official Cedar engine say the same. Two processes; about 20
 * minutes for a million on two cores.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { noFigures, type WorldFigures } from '../policy/figures.ts'
import { pairsOfTwo, type WorldRange } from '../policy/judge-worlds.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const fewestPairs = 1_000_000
const seedsEach = 100
const tellEveryMs = 10_000
const program = fileURLToPath(new URL('../policy/worlds-program.ts', import.meta.url))

function add(sum: WorldFigures, { disagreements, ...counts }: WorldFigures): void {
  sum.disagreements.push(...disagreements)
  for (const [name, count] of Object.entries(counts)) sum[name as keyof typeof counts] += count as number
}

/** Takes one range after the other until none is left. */
async function runProcess(ranges: WorldRange[], sum: WorldFigures): Promise<void> {
  const child = fork(program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  try {
    for (let range = ranges.shift(); range !== undefined; range = ranges.shift()) {
      child.send(range)
      const said: unknown[] = await Promise.race([
        once(child, 'message'),
        once(child, 'exit').then(() => {
          throw new Error(`the process that judged the seeds from ${range?.fromSeed} died`)
        }),
      ])
      add(sum, said[0] as WorldFigures)
    }
  } finally {
    child.kill()
  }
}

async function run(flags: readonly string[]): Promise<ProofOutcome> {
  const options = {
    pairs: { type: 'string', default: String(fewestPairs) },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    processes: { type: 'string', default: '2' },
    'official-every': { type: 'string', default: '1' },
  } as const
  const { values } = parseArgs({ args: [...flags], options })
  const [pairs, seed, officialEvery] = [Number(values.pairs), Number(values.seed), Number(values['official-every'])]
  const seeds = Math.ceil(pairs / pairsOfTwo) * 2
  console.log(`seeds ${seed} to ${seed + seeds - 1}`)
  const ranges: WorldRange[] = []
  for (let from = seed; from < seed + seeds; from += seedsEach) {
    ranges.push({ fromSeed: from, toSeed: Math.min(from + seedsEach, seed + seeds), officialEvery })
  }
  const sum = noFigures()
  const startedAt = performance.now()
  const telling = setInterval(() => {
    const rate = sum.pairs / ((performance.now() - startedAt) / 1_000)
    const left = rate === 0 ? 'unknown' : String(Math.max(0, Math.round((pairs - sum.pairs) / rate)))
    const told = `${sum.pairs} pairs, ${Math.round(rate)} a second, ${sum.disagreements.length} disagreements`
    console.log(`${told}, ${left} s left`)
  }, tellEveryMs)
  try {
    await Promise.all(Array.from({ length: Number(values.processes) }, () => runProcess(ranges, sum)))
  } finally {
    clearInterval(telling)
  }
  for (const disagreement of sum.disagreements.slice(0, 20)) console.log(disagreement)
  const seconds = Math.round((performance.now() - startedAt) / 1_000)
  const { disagreements, ...figures } = sum
  const agreed = disagreements.length === 0 && sum.pairs >= pairs
  return {
    holds: agreed && sum.pairs >= fewestPairs,
    agreed,
    seed,
    seconds,
    ...figures,
    disagreements: disagreements.length,
  }
}

export const proof: Proof = {
  shows: `of ${fewestPairs.toLocaleString('en')} random rules, roles, policy files, people and requests, every decision is that of an independent evaluator and of the official engine, and a list is what can be called (20 minutes; --pairs, --seed, --processes, --official-every)`,
  run,
}
