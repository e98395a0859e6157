/** Days in the life of a gateway, shortened: what it holds at the end of the last one is what it held once it had settled. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Scene, withScene } from '../cross-talk/scene.ts'
import { Crowd, liveDay } from '../soak/day.ts'
import { type Sample, takeSample } from '../soak/sample.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const shownProblems = 5
const days = 6
/** Caches fill and the heap takes its size in the first half; what leaks goes on in the second. */
const settledAfterDays = days / 2
const people = 6
const mostClients = 60
/** Sessions and children that nobody uses end after so long, and are looked for so long. */
const idleSeconds = 2
const nightSeconds = 20
/** Of memory, from the settled day to the last: the noise of a garbage collector. */
const mostGrowth = 1.03
const mostMoreHandles = 10
const mostMoreChildren = 0
const mostMoreSessions = 0

function readMinutes(flags: readonly string[]): number {
  const { values } = parseArgs({ args: [...flags], options: { minutes: { type: 'string', default: '6' } } })
  const minutes = Number(values.minutes)
  if (!(minutes >= 3)) throw new Error('usage: soak [--minutes 6]; at least 3')
  return minutes
}

function describe(name: string, { residentMegabytes, handles, children, sessions }: Sample, came: number): string {
  const kept = Object.entries(sessions).map(([kind, count]) => `${count} ${kind}`)
  const held = `${residentMegabytes} MB, ${handles} handles, ${children} children, sessions: ${kept.join(', ')}`
  return `${name.padEnd(12)} ${held}; ${came} clients came so far`
}

/** Whether there are no more sessions of any kind. */
function hasNoMoreSessions(settled: Sample, last: Sample): boolean {
  return Object.entries(last.sessions).every(
    ([kind, count]) => count <= (settled.sessions[kind] ?? 0) + mostMoreSessions,
  )
}

async function liveDays(scene: Scene, minutes: number): Promise<Sample[]> {
  const crowd = new Crowd(scene)
  const nights: Sample[] = []
  const dayMs = (minutes * 60_000) / days - nightSeconds * 1_000
  for (let day = 1; day <= days; day += 1) {
    await liveDay(crowd, mostClients, dayMs)
    await sleep(nightSeconds * 1_000)
    const night = await takeSample(scene.castellan)
    nights.push(night)
    console.log(describe(`after day ${day}`, night, crowd.came))
  }
  return nights
}

async function prove(scene: Scene, minutes: number): Promise<ProofOutcome> {
  console.log(describe('before', await takeSample(scene.castellan), 0))
  const nights = await liveDays(scene, minutes)
  const { problems, ...counts } = scene.findings.counts
  for (const problem of problems.slice(0, shownProblems)) console.log(`WRONG: ${problem}`)
  const [settled, last] = [nights[settledAfterDays - 1], nights.at(-1)]
  if (settled === undefined || last === undefined) throw new Error('no day was lived')
  const isFlat =
    last.residentMegabytes <= settled.residentMegabytes * mostGrowth &&
    last.handles <= settled.handles + mostMoreHandles &&
    last.children <= settled.children + mostMoreChildren &&
    hasNoMoreSessions(settled, last)
  const ledgerVerifies = await scene.stop()
  return {
    holds: isFlat && problems.length === 0 && ledgerVerifies,
    minutes,
    ...counts,
    nights,
    ledgerVerifies,
    problems: problems.length,
  }
}

export const proof: Proof = {
  shows: 'after days of clients that come and go, memory, handles, children and sessions are as in the middle of them',
  async run(flags) {
    const minutes = readMinutes(flags)
    const idle = String(idleSeconds)
    const env = { CASTELLAN_UPSTREAMS__IDLE_SECONDS: idle }
    return withScene({ people, connections: mostClients, seed: 1, env }, (scene) => prove(scene, minutes))
  },
}
