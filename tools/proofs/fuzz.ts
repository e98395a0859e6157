/** Hostile input from both sides, on both listeners and in both eras: nothing dies, hangs, grows or tells its inside. */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type RunningCastellan, runCastellan } from '../../test/world/running-castellan.ts'
import { initialize } from '../../test/world/messages.ts'
import { runProgram } from '../../test/world/program.ts'
import { type FuzzedUpstream, startFuzzedUpstream } from '../fuzz/fuzzed-upstream.ts'
import { type Knowledge, makeInput } from '../fuzz/inputs.ts'
import { type Finding, judge } from '../fuzz/judge.ts'
import { createRandom, type Random } from '../fuzz/random.ts'
import { createWire, type Wire } from '../fuzz/wire.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const serverName = 'fuzzed'
const fewestInputs = 100_000
const atOnce = 24
const shownFindings = 5
const samples = 20
/** What the working set may grow from a third of the way to the end. */
const mostGrowthMegabytes = 96

interface Target {
  readonly castellan: RunningCastellan
  readonly upstream: FuzzedUpstream
  readonly known: Knowledge
  readonly wires: Readonly<Record<'gateway' | 'admin', Wire>>
  readonly pid: number
}

interface Tally {
  readonly findings: Finding[]
  readonly byFamily: Record<string, number>
  readonly byStatus: Record<string, number>
  readonly memoryMegabytes: number[]
  slowestMs: number
}

function memoryOf(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kilobytes) / 1024)
}

/** The process that listens: `castellan up` itself, or its child when it started Node anew. */
function listeningPid(castellan: RunningCastellan): number {
  return Number(readFileSync(`${castellan.dataDir}/lock.pid`, 'utf8').match(/\d+/)?.[0])
}

async function openSession(castellan: RunningCastellan, token: string): Promise<string> {
  const answer = await fetch(`${castellan.gatewayUrl}/servers/${serverName}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify(initialize),
  })
  await answer.text()
  const id = answer.headers.get('mcp-session-id')
  if (id === null) throw new Error(`no session: ${answer.status}`)
  return id
}

async function prepare(random: Random): Promise<Target> {
  const upstream = await startFuzzedUpstream(random)
  const castellan = await runCastellan()
  const token = await castellan.addUpstream(serverName, upstream.url)
  const sessionId = await openSession(castellan, token)
  upstream.lie()
  const [gateway, admin] = [new URL(castellan.gatewayUrl), new URL(castellan.adminUrl)]
  return {
    castellan,
    upstream,
    pid: listeningPid(castellan),
    known: {
      token,
      sessionId,
      host: { gateway: gateway.host, admin: admin.host },
      serverPath: `/servers/${serverName}/mcp`,
    },
    wires: { gateway: createWire(Number(gateway.port)), admin: createWire(Number(admin.port)) },
  }
}

async function sendAll(target: Target, random: Random, count: number): Promise<Tally> {
  const tally: Tally = { findings: [], byFamily: {}, byStatus: {}, memoryMegabytes: [], slowestMs: 0 }
  const secrets = [target.known.token, target.castellan.ana.sessionToken(), target.castellan.folder]
  const everySample = Math.ceil(count / samples)
  const startedAt = performance.now()
  let sent = 0
  const one = async (): Promise<void> => {
    while (sent < count) {
      sent += 1
      const number = sent
      const input = makeInput(target.known, random)
      const heard = await target.wires[input.listener].send(input.bytes, input.isWhole)
      const finding = judge(input, heard, secrets)
      if (finding !== undefined) tally.findings.push(finding)
      tally.byFamily[input.family] = (tally.byFamily[input.family] ?? 0) + 1
      const outcome = heard.kind === 'answered' ? String(heard.status) : heard.kind
      tally.byStatus[outcome] = (tally.byStatus[outcome] ?? 0) + 1
      tally.slowestMs = Math.max(tally.slowestMs, Math.round(heard.tookMs))
      if (number % everySample !== 0) continue
      tally.memoryMegabytes.push(memoryOf(target.pid))
      const seconds = (performance.now() - startedAt) / 1_000
      const leftSeconds = Math.round((seconds / number) * (count - number))
      console.log(
        `${number} sent, ${tally.findings.length} findings, ${tally.memoryMegabytes.at(-1)} MB, ${leftSeconds} s left`,
      )
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  return tally
}

function growthOf(memory: readonly number[]): number {
  const third = Math.floor(memory.length / 3)
  return Math.max(...memory.slice(third)) - Math.max(...memory.slice(0, Math.max(1, third)))
}

async function afterwards(target: Target) {
  const { castellan, known } = target
  const isSameProcess = listeningPid(castellan) === target.pid
  const session = await openSession(castellan, known.token).then(
    () => true,
    () => false,
  )
  await castellan.program.stop()
  const verify = await runProgram(process.execPath, ['bin/castellan.js', 'audit', 'verify', '--json'], {
    env: castellan.env,
  })
  const verdict = verify.code === 0 ? (JSON.parse(verify.stdout) as { holds: boolean; size: number }) : undefined
  return { isSameProcess, stillServes: session, ledgerHolds: verdict?.holds === true, entries: verdict?.size ?? 0 }
}

async function run(flags: readonly string[]): Promise<ProofOutcome> {
  const { values } = parseArgs({
    args: [...flags],
    options: { count: { type: 'string', default: String(fewestInputs) }, seed: { type: 'string', default: '1' } },
  })
  const [count, seed] = [Number(values.count), Number(values.seed)]
  const target = await prepare(createRandom(seed + 1))
  try {
    const tally = await sendAll(target, createRandom(seed), count)
    for (const finding of tally.findings.slice(0, shownFindings)) console.log(finding)
    const after = await afterwards(target)
    const growthMegabytes = growthOf(tally.memoryMegabytes)
    const { isSameProcess, stillServes, ledgerHolds } = after
    const isFlat = growthMegabytes <= mostGrowthMegabytes
    return {
      holds:
        tally.findings.length === 0 && isSameProcess && stillServes && ledgerHolds && isFlat && count >= fewestInputs,
      count,
      seed,
      findings: tally.findings.length,
      ...after,
      growthMegabytes,
      memoryMegabytes: tally.memoryMegabytes,
      slowestMs: tally.slowestMs,
      reachedUpstream: target.upstream.arrivals(),
      byFamily: tally.byFamily,
      byStatus: tally.byStatus,
    }
  } finally {
    for (const wire of Object.values(target.wires)) wire.close()
    target.upstream.close()
    await target.castellan.end()
  }
}

export const proof: Proof = {
  shows: `${fewestInputs.toLocaleString('en')} hostile inputs end no process, hang no connection, fill no memory and reveal nothing inside`,
  run,
}
