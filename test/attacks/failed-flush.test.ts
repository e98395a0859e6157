/**
 * The disk lies, or Mallory makes it: writes are turned away, or a flush fails once the bytes are in memory, and clients go
 * on calling. They hope for a call that was made and whose record was only ever in memory, or that is there twice.
 */
import { execFileSync, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Entry, verifyLedger } from '#audit'
import { systemClock } from '#kernel'
import { openDataFolder } from '#platform/files'
import { expect, onTestFinished } from 'vitest'
import { proves } from '../proves.ts'
import { openTestLedger } from '../world/ledger.ts'
import { callTool } from '../world/messages.ts'
import { runCastellan, type RunningCastellan } from '../world/running-castellan.ts'
import { type RecordingUpstream, startRecordingUpstream } from '../world/servers/recording-upstream.ts'

/** Brings the fault about. @returns how to end it */
type Fault = (castellan: RunningCastellan) => Promise<() => unknown>

/** No file may grow beyond what the ledger's log is about to need. */
async function refuseWrites({ program }: RunningCastellan): Promise<() => void> {
  const limit = (size: string) => execFileSync('prlimit', ['--pid', String(program.pid), `--fsize=${size}:`])
  limit('700000')
  return () => void limit('unlimited')
}

/** Every third flush of the ledger's files is not made and reported as failed. */
async function failFlushes({ program, dataDir }: RunningCastellan): Promise<() => Promise<void>> {
  const files = ['ledger.db', 'ledger.db-wal'].flatMap((name) => ['-P', join(dataDir, name)])
  const inject = ['-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:error=EIO:when=1+3']
  const tracer = spawn('strace', ['-f', '-p', String(program.pid), ...files, ...inject, '-o', '/dev/null'])
  let said = ''
  tracer.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = new Promise((resolve) => tracer.once('close', resolve))
  await expect.poll(() => said, { timeout: 10_000 }).toContain('attached')
  return async () => {
    tracer.kill('SIGINT')
    await ended
  }
}

function canTrace(): boolean {
  try {
    execFileSync('strace', ['-f', '--seccomp-bpf', '-qqq', '-o', '/dev/null', 'true'], { stdio: 'pipe' })
    return true
  } catch {
    process.stderr.write('failed flushes are not tried: this machine has no strace, or lets nobody trace\n')
    return false
  }
}

interface Called {
  readonly text: string
  readonly status: number
  readonly entry: number
}

/** Calls without a pause until it is told to stop. */
async function callOn(castellan: RunningCastellan, token: string, name: string, isOver: () => boolean) {
  const called: Called[] = []
  for (let n = 0; !isOver(); n++) {
    const text = `${name}-${n}`
    const answer = await fetch(`${castellan.gatewayUrl}/servers/books/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(callTool('echo', text, text)),
    })
    await answer.arrayBuffer()
    called.push({ text, status: answer.status, entry: Number(answer.headers.get('castellan-entry')) })
    await sleep(answer.status === 200 ? 2 : 20)
  }
  return called
}

async function readAll(dataDir: string): Promise<Entry[]> {
  const { ledger } = await openTestLedger(openDataFolder(dataDir), systemClock)
  const entries: Entry[] = []
  for (;;) {
    const page = await ledger.read({ after: entries.length, limit: 1000 })
    entries.push(...page)
    if (page.length === 0) return entries
  }
}

const textOf = (parameters: unknown) => (parameters as { arguments?: { text?: string } } | undefined)?.arguments?.text

function compare(entries: readonly Entry[], called: readonly Called[], books: RecordingUpstream): void {
  expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1))
  const intents = entries.filter(({ event }) => event === 'call.intended')
  const intended = new Map(intents.map(({ seq, details }) => [textOf(details?.['parameters']), seq]))
  expect(intended.size).toBe(intents.length)
  const answered = called.filter(({ status }) => status === 200)
  expect(answered.filter(({ text, entry }) => intended.get(text) !== entry)).toEqual([])
  expect(new Set(called.map(({ status }) => status))).toEqual(new Set([200, 503]))
  const arrived = books.calls('tools/call').map(({ message }) => textOf(message?.params))
  expect(arrived.filter((text) => !intended.has(text))).toEqual([])
  expect(new Set(arrived).size).toBe(arrived.length)
  const ended = entries.flatMap(({ details }) => (typeof details?.['intent'] === 'number' ? [details['intent']] : []))
  expect(ended.toSorted((one, other) => one - other)).toEqual(intents.map(({ seq }) => seq))
  expect(entries.filter(({ event }) => event === 'ledger.recovered').length).toBeGreaterThan(0)
}

async function callThrough(fault: Fault): Promise<void> {
  const castellan = await runCastellan()
  onTestFinished(() => castellan.end())
  const books = await startRecordingUpstream()
  const token = await castellan.addUpstream('books', books.url)
  let isOver = false
  const loads = [0, 1, 2, 3, 4, 5].map((name) => callOn(castellan, token, String(name), () => isOver))
  const isReady = async () => (await fetch(`${castellan.adminUrl}/readyz`)).status === 200
  await expect.poll(() => books.calls('tools/call').length, { timeout: 10_000 }).toBeGreaterThan(20)
  const end = await fault(castellan)
  await expect.poll(isReady, { timeout: 20_000, interval: 5 }).toBe(false)
  await sleep(1500)
  await end()
  await expect.poll(isReady, { timeout: 10_000 }).toBe(true)
  const before = books.calls('tools/call').length
  await expect.poll(() => books.calls('tools/call').length, { timeout: 10_000 }).toBeGreaterThan(before + 20)
  isOver = true
  const called = (await Promise.all(loads)).flat()
  await sleep(1000)
  expect(await castellan.program.stop()).toBe(0)
  expect(await verifyLedger({ folder: castellan.dataDir })).toMatchObject({ holds: true, problems: [] })
  compare(await readAll(castellan.dataDir), called, books)
}

proves(
  'LED-8',
  'writes that are turned away lose no acknowledged entry, double none, and let no call pass meanwhile',
  () => callThrough(refuseWrites),
  60_000,
)

if (canTrace())
  proves(
    'LED-8',
    'flushes that fail lose no acknowledged entry, double none, and let no call pass meanwhile',
    () => callThrough(failFlushes),
    60_000,
  )
