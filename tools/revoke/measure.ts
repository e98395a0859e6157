/** Revokes one thing after the other while everybody else goes on, and counts the milliseconds until nothing passes. */
import { fileURLToPath } from 'node:url'
import { runProgram } from '../../test/world/program.ts'
import { callAdmin } from '../../test/world/people.ts'
import { account, issuerToken, type Kind, makeKinds } from './kinds.ts'
import type { StreamPlan, Told } from './load-contract.ts'
import { type Scene, server, setScene } from './scene.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))
/** Of those that nobody revokes anything of. */
const bystanders = 'bystanders'
const tokensPerAccount = 80
const bystanderCallers = 4
const mostLatenessMs = 150
const atOnce = 2

export interface KindFigures {
  readonly name: string
  readonly times: number
  readonly streams: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** From asking the admin API. */
  readonly askedMaxMs: number
  /** How long the admin API took. */
  readonly answerP50Ms: number
  readonly lastCallMaxMs: number
  readonly refusedCalls: number
  /** Entries of it in the ledger of the node that was asked. */
  readonly recorded: number
}

export interface Figures {
  readonly kinds: readonly KindFigures[]
  readonly openStreams: number
  readonly problems: readonly string[]
  /** Streams that ended and calls that were refused of those that nothing was taken from. */
  readonly disturbed: number
  readonly bystanderCalls: number
  readonly cutEntries: number
  readonly ledgersVerify: boolean
  readonly loadCpuShare: number
  readonly loadLatenessMs: number
  readonly seconds: number
}

export interface Plan {
  readonly streams: number
  readonly times: number
  readonly only?: string | undefined
  readonly env: NodeJS.ProcessEnv
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
}

/** Opens what goes on throughout: each stream with a token of its own. */
async function openBystanders(scene: Scene, count: number): Promise<void> {
  const streams: StreamPlan[] = []
  const kinds = ['session', 'call', 'subscription', 'old-wire', 'joint-session', 'joint-subscription'] as const
  let holder: Awaited<ReturnType<typeof account>> | undefined
  for (let at = 0; at < count; at++) {
    const kind = kinds[at % kinds.length] ?? 'session'
    if (at % tokensPerAccount === 0) holder = await account(scene, `bystander-${at}`)
    const origin = scene.nodes.gateways[Math.floor(at / kinds.length) % 2] ?? ''
    const { token = '' } = (await holder?.mint(kind.startsWith('joint') ? '/mcp' : server)) ?? {}
    streams.push({ kind, origin, server, token })
  }
  const key = scene.issuer.keys[0]
  if (key === undefined) throw new Error('the issuer has no key')
  const callers = Array.from({ length: bystanderCallers }, (_, at) => ({
    origin: scene.nodes.gateways[at % 2] ?? '',
    server,
    token: at < 2 ? issuerToken(scene, key, 'bystander', server) : (streams[0]?.token ?? ''),
  }))
  await scene.load.open({ ...scene.group(bystanders, { own: '' }), streams, callers })
}

interface Sample {
  readonly afterMs: number
  readonly askedMs: number
  readonly answerMs: number
  readonly lastCallMs: number
  readonly streams: number
  readonly told: Told
}

async function once(scene: Scene, kind: Kind, at: number): Promise<Sample> {
  const victim = await kind.prepare(at)
  const { group } = victim.plan
  await scene.load.open(victim.plan)
  const { askedAt, answeredAt } = await victim.revoke()
  const told = await scene.load.settle(group)
  await victim.clear?.()
  const ends = told.streams.map(({ closedAt }) => closedAt ?? Number.POSITIVE_INFINITY)
  const passedAt = Math.max(told.lastAcceptedAt, ...ends)
  return {
    afterMs: Math.max(0, passedAt - answeredAt),
    askedMs: passedAt - askedAt,
    answerMs: answeredAt - askedAt,
    lastCallMs: Math.max(0, told.lastAcceptedAt - answeredAt),
    streams: ends.length,
    told,
  }
}

async function entries(scene: Scene, query: string): Promise<number> {
  const token = scene.nodes.first.ana.sessionToken()
  let count = 0
  for (const admin of scene.nodes.admins) {
    const { body } = await callAdmin(admin, { method: 'GET', path: `/audit?limit=500&${query}`, token })
    count += (body['items'] as unknown[]).length
  }
  return count
}

async function measureKind(scene: Scene, kind: Kind, times: number, problems: string[]): Promise<KindFigures> {
  const samples: Sample[] = []
  for (let at = 0; at < times; at++) {
    const sample = await once(scene, kind, at).catch(
      (error: unknown) => void problems.push(`${kind.name}: ${String(error)}`),
    )
    if (sample === undefined) continue
    samples.push(sample)
    problems.push(...sample.told.problems.map((problem) => `${kind.name}: ${problem}`))
    if (sample.told.reopened > 0) problems.push(`${kind.name}: ${sample.told.reopened} streams were let in again`)
  }
  const after = samples.map(({ afterMs }) => afterMs)
  const figures = {
    name: kind.name,
    times: samples.length,
    streams: samples.reduce((sum, { streams }) => sum + streams, 0),
    p50Ms: percentile(after, 0.5),
    p99Ms: percentile(after, 0.99),
    maxMs: percentile(after, 1),
    askedMaxMs: percentile(
      samples.map(({ askedMs }) => askedMs),
      1,
    ),
    answerP50Ms: percentile(
      samples.map(({ answerMs }) => answerMs),
      0.5,
    ),
    lastCallMaxMs: percentile(
      samples.map(({ lastCallMs }) => lastCallMs),
      1,
    ),
    refusedCalls: samples.reduce((sum, { told }) => sum + told.refused, 0),
    recorded: await entries(scene, `event=${kind.event}`),
  }
  console.log(`${kind.name}: p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms, of ${figures.times}`)
  return figures
}

async function verifies(env: NodeJS.ProcessEnv): Promise<boolean> {
  const { code, output } = await runProgram(process.execPath, [launcher, 'audit', 'verify', '--json'], { env })
  if (code !== 0) console.log(output)
  return code === 0
}

async function run(scene: Scene, { streams, times, only }: Plan): Promise<Figures> {
  const startedAt = performance.now()
  const grants = [{ permissions: ['servers:use', 'tools:call', 'resources:read'], resources: ['*'] }]
  await scene.admin('PUT', '/roles/admin-of-calls', { description: 'calls everything', grants })
  const kinds = makeKinds(scene).filter(({ name }) => only === undefined || name.includes(only))
  await openBystanders(scene, streams)
  console.log(`${streams} streams are open`)
  const problems: string[] = []
  const left = [...kinds]
  const measured: KindFigures[] = []
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      measured.push(await measureKind(scene, next, times, problems))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const rest = await scene.load.report(bystanders)
  const disturbed = rest.streams.filter(({ closedAt }) => closedAt !== null).length + rest.refused
  if (rest.latenessMs > mostLatenessMs) console.log(`the load was late by ${Math.round(rest.latenessMs)} ms at most`)
  const cutEntries = await entries(scene, 'event=call.cut')
  const { first } = scene.nodes
  const ledgersVerify = (await verifies(first.env)) && (await verifies(scene.nodes.secondEnv))
  return {
    kinds: kinds.flatMap(({ name }) => measured.find((one) => one.name === name) ?? []),
    openStreams: rest.streams.length,
    problems,
    disturbed,
    bystanderCalls: rest.accepted,
    cutEntries,
    ledgersVerify,
    loadCpuShare: Math.round(rest.cpuShare * 100) / 100,
    loadLatenessMs: Math.round(rest.latenessMs),
    seconds: Math.round((performance.now() - startedAt) / 1_000),
  }
}

/** Runs it on the database of the environment. */
export async function measure(plan: Plan): Promise<Figures> {
  const scene = await setScene(plan.times + 1, plan.env)
  try {
    return await run(scene, plan)
  } finally {
    await scene.end()
  }
}
