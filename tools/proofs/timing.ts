/**
 * A stranger's wrong attempt: does the time tell whether there is such a person? Names are asked at sign-in and nowhere else.
 * Attempts come one after the other in one process, at the cost that passwords have: attempts at the same time would slow
 * each other more than any difference looked for, and cheaper hashes would be another program. At 10,000 of each that is
 * about 20 minutes for each of the three kinds of person, on a core of their own.
 */
import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makePairs, type Pair, saidBy } from '../timing/attempts.ts'
import { compare } from '../timing/compare.ts'
import { fillRoom, openRoom, type Room } from '../timing/room.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const fewestSamples = 10_000
/** Of each kind that are thrown away: the program warms up. */
const warmUp = { slow: 50, quick: 500 }
const roundMs = 20 * 60_000
/** How far from even odds: four times what chance alone does at 10,000 pairs. */
const mostAdvantage = 0.02
/** How far medians are from each other. */
const mostMedianShare = 0.02
const tellEvery = 1_000
/** WHY: with fewer samples chance alone does more. */
const chances = 4

async function timeOne(attempt: () => Promise<object>): Promise<{ ms: number; answer: object }> {
  const started = performance.now()
  const answer = await attempt()
  return { ms: performance.now() - started, answer }
}

async function takeSamples({ clock }: Room, pair: Pair, samples: number) {
  const times = { known: [] as number[], unknown: [] as number[] }
  const said = new Set<string>()
  const startedAt = performance.now()
  const warm = pair.isOfName ? warmUp.slow : warmUp.quick
  for (let round = 0; round < samples + warm; round += 1) {
    // WHY: as if every attempt were the first of its hour; the throttle is proved elsewhere.
    clock.advance(roundMs)
    const order = randomInt(2) === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)
    for (const kind of order) {
      const { ms, answer } = await timeOne(pair.ready(kind === 'known', round))
      said.add(saidBy(answer))
      if (round >= warm) times[kind].push(ms)
    }
    if (round % tellEvery !== tellEvery - 1) continue
    const leftSeconds = Math.round(((performance.now() - startedAt) / 1_000 / (round + 1)) * (samples + warm - round))
    console.log(`${pair.name}, ${round + 1} rounds, ${leftSeconds} s left`)
  }
  return { times, answers: said.size }
}

async function judge(room: Room, pair: Pair, samples: number) {
  const { times, answers } = await takeSamples(room, pair, samples)
  const found = compare(times.known, times.unknown)
  const [known, unknown] = found.p50Ms
  const medianShare = Number((Math.abs(known - unknown) / Math.min(known, unknown)).toFixed(4))
  const advantage = Number(Math.abs(found.likelihood - 0.5).toFixed(4))
  const pairedAdvantage = Number(Math.abs(found.pairedLikelihood - 0.5).toFixed(4))
  const isEven =
    advantage <= Math.max(mostAdvantage, chances * found.deviation) &&
    pairedAdvantage <= Math.max(mostAdvantage, chances * found.pairedDeviation) &&
    medianShare <= mostMedianShare * Math.max(1, Math.sqrt(fewestSamples / samples))
  const figures = { isOfName: pair.isOfName, isEven, answers, advantage, pairedAdvantage, medianShare, ...found }
  console.log(pair.name, JSON.stringify(figures))
  return figures
}

async function run(flags: readonly string[]): Promise<ProofOutcome> {
  const options = { samples: { type: 'string', default: String(fewestSamples) }, only: { type: 'string' } } as const
  const { values } = parseArgs({ args: [...flags], options })
  const samples = Number(values.samples)
  const folder = mkdtempSync(join(tmpdir(), 'castellan-timing-'))
  const room = await openRoom(folder)
  const startedAt = performance.now()
  const found: Record<string, Awaited<ReturnType<typeof judge>>> = {}
  try {
    await fillRoom(room)
    for (const pair of await makePairs(room)) {
      if (values.only !== undefined && !pair.name.includes(values.only)) continue
      found[pair.name] = await judge(room, pair, samples)
    }
  } finally {
    await room.close()
    rmSync(folder, { recursive: true, force: true })
  }
  const all = Object.values(found)
  const names = all.filter((one) => one.isOfName)
  const isEven = names.length > 0 && names.every((one) => one.isEven) && all.every((one) => one.answers === 1)
  const seconds = Math.round((performance.now() - startedAt) / 1_000)
  return { holds: isEven && samples >= fewestSamples, isEven, samples, seconds, ...found }
}

export const proof: Proof = {
  shows: `of ${fewestSamples.toLocaleString('en')} wrong sign-ins each with known and unknown names, neither answer nor time tells which was which (an hour; --samples, --only)`,
  run,
}
