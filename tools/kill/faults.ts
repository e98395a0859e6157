/** A full disk and a flush that fails, under load: what the clients were told, and how soon it works again. */
import { execFileSync, spawn } from 'node:child_process'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyLedger } from '#audit'
import { checkLedger } from './ledger-check.ts'
import { type Called, type Load, startLoad } from './load.ts'
import { type Scene, setScene } from './scene.ts'

export interface FaultFigures {
  readonly calls: number
  readonly refused: number
  /** From the end of the fault to the first call that was answered with its result. */
  readonly resumedAfterMs: number
  readonly problems: readonly string[]
}

const callers = 8
const pauseMs = 5
const settleMs = 15_000
const mostResumeMs = 5_000
const giveUpResumeMs = 30_000

function isServed({ isResult }: Called): boolean {
  return isResult === true
}

function isAnswered({ status }: Called): boolean {
  return status !== undefined
}

/** Polls until `holds`; false when time is up. */
async function until(holds: () => boolean | Promise<boolean>, mostMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + mostMs
  while (!(await holds())) {
    if (performance.now() > giveUpAt) return false
    await sleep(10)
  }
  return true
}

async function statusOf(url: string): Promise<number> {
  const answer = await fetch(url).catch(() => undefined)
  await answer?.arrayBuffer()
  return answer?.status ?? 0
}

/** A call that was refused for the ledger's sake says when to come back. */
function wronglyRefused(calls: readonly Called[]): string[] {
  const wrong = calls
    .filter((called) => isAnswered(called) && !isServed(called))
    .filter(({ status, retryAfter }) => status !== 503 || !(Number(retryAfter) > 0))
  const [first] = wrong
  if (first === undefined) return []
  return [`${wrong.length} calls were not refused with 503 and Retry-After, the first with ${first.status}`]
}

interface Fault {
  /** Brings it about, and resolves when it has lasted. @returns what was wrong while it lasted */
  begin(scene: Scene, load: Load): Promise<string[]>
  end(scene: Scene): Promise<void>
}

async function suffer(scene: Scene, fault: Fault): Promise<FaultFigures> {
  const { gatewayUrl } = scene.castellan
  const check = checkLedger(scene.dataDir)
  const load = startLoad({ gatewayUrl, token: scene.token, callers, pauseMs })
  const problems: string[] = []
  if (!(await until(() => load.calls.some(isServed), settleMs))) problems.push('no call was served before the fault')
  problems.push(...(await fault.begin(scene, load)))
  await fault.end(scene)
  const endedAt = performance.now()
  const isNewAndServed = (called: Called): boolean => called.sentAt > endedAt && isServed(called)
  const hasResumed = await until(() => load.calls.some(isNewAndServed), giveUpResumeMs)
  const resumedAfterMs = Math.round(performance.now() - endedAt)
  if (!hasResumed || resumedAfterMs > mostResumeMs) problems.push(`it did not resume within ${mostResumeMs} ms`)
  await sleep(500)
  await load.stop()
  problems.push(...wronglyRefused(load.calls), ...(await check.settle(settleMs)))
  problems.push(...check.compare(load.calls, scene.arrivals()))
  const { holds, firstProblem } = await verifyLedger({ folder: scene.dataDir })
  if (!holds) problems.push(`the ledger does not verify: ${firstProblem?.says ?? 'no reason'}`)
  const refused = load.calls.filter((called) => isAnswered(called) && !isServed(called)).length
  return { calls: load.calls.length, refused, resumedAfterMs, problems }
}

const diskBytes = 24 * 1024 * 1024
const fullMs = 3_000

function fill(path: string): void {
  const file = openSync(path, 'a')
  try {
    for (let size = 256 * 1024; size >= 1; size = Math.floor(size / 4)) {
      const block = Buffer.alloc(size)
      try {
        for (;;) writeSync(file, block)
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      }
    }
  } finally {
    closeSync(file)
  }
}

/** Keeps the disk full: whatever becomes free is filled again. */
function fullDisk(mount: string): Fault {
  const filler = join(mount, 'filler')
  return {
    async begin({ castellan }, load) {
      fill(filler)
      const filling = setInterval(() => fill(filler), 20)
      try {
        const isRefused = (called: Called): boolean => isAnswered(called) && !isServed(called)
        if (!(await until(() => load.calls.some(isRefused), settleMs))) return ['no call was refused on a full disk']
        const refusedAt = performance.now()
        const isUnready = await until(async () => (await statusOf(`${castellan.adminUrl}/readyz`)) === 503, fullMs)
        const isAlive = (await statusOf(`${castellan.adminUrl}/livez`)) === 200
        const read = await castellan.ana.api('GET', '/audit?limit=10')
        await sleep(Math.max(0, fullMs - (performance.now() - refusedAt)))
        return [
          ...(isUnready ? [] : ['it said that it was ready on a full disk']),
          ...(isAlive ? [] : ['it did not say that it lives on a full disk']),
          ...(read.status === 200 ? [] : [`the ledger could not be read on a full disk: ${read.status}`]),
        ]
      } finally {
        clearInterval(filling)
      }
    },
    end: async () => unlinkSync(filler),
  }
}

/** @throws when this machine lets nobody mount a small disk */
function mountSmallDisk(): { folder: string; unmount(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes},mode=0700`, 'tmpfs', folder], { stdio: 'pipe' })
  } catch (error) {
    rmSync(folder, { recursive: true })
    throw new Error('no small disk can be mounted here', { cause: error })
  }
  return {
    folder,
    unmount() {
      execFileSync('umount', ['-l', folder])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** F3: the disk of the data folder, with the ledger and the database, is full for a while. */
export async function fillDisk(): Promise<FaultFigures> {
  const disk = mountSmallDisk()
  try {
    const dataDir = join(disk.folder, 'data')
    mkdirSync(dataDir, { mode: 0o700 })
    const scene = await setScene({ CASTELLAN_DATA_DIR: dataDir })
    try {
      return await suffer(scene, fullDisk(disk.folder))
    } finally {
      await scene.end()
    }
  } finally {
    disk.unmount()
  }
}

/** A tracer on the running process that fails the flushes of the ledger's files. @param when `1`, or every one */
async function failFlushes(scene: Scene, when: string): Promise<() => Promise<void>> {
  const pid = /\d+/.exec(readFileSync(join(scene.dataDir, 'lock.pid'), 'utf8'))?.[0] ?? ''
  const files = ['ledger.db', 'ledger.db-wal'].flatMap((name) => ['-P', join(scene.dataDir, name)])
  const inject = `inject=fsync,fdatasync:error=EIO${when}`
  const tracer = spawn(
    'strace',
    ['-f', '-p', pid, ...files, '-e', 'trace=fsync,fdatasync', '-e', inject, '-o', '/dev/null'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let said = ''
  tracer.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = new Promise<void>((resolve) => tracer.once('close', () => resolve()))
  if (!(await until(() => said.includes('attached'), settleMs))) throw new Error(`the tracer did not attach: ${said}`)
  return async () => {
    tracer.kill('SIGINT')
    await ended
  }
}

function failingFlush(when: string, lastsMs: number): Fault {
  let detach: (() => Promise<void>) | undefined
  return {
    async begin(scene, load) {
      detach = await failFlushes(scene, when)
      const isRefused = (called: Called): boolean => isAnswered(called) && !isServed(called)
      const hasRefused = await until(() => load.calls.some(isRefused), settleMs)
      await sleep(lastsMs)
      return hasRefused ? [] : ['no call was refused while a flush failed']
    },
    async end() {
      await detach?.()
    },
  }
}

/** F5: one flush of the ledger fails, or every one for a while. */
export async function failFlush(often: 'once' | 'always'): Promise<FaultFigures> {
  const scene = await setScene()
  try {
    return await suffer(scene, often === 'once' ? failingFlush(':when=1', 0) : failingFlush('', 2_000))
  } finally {
    await scene.end()
  }
}

/** Whether system calls of other processes can be traced here. */
export function hasTracer(): boolean {
  try {
    execFileSync('strace', ['-f', '--seccomp-bpf', '-qqq', '-o', '/dev/null', 'true'], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

/** Whether this file system flushes at all: how long one flush takes. */
export function flushMs(folder: string): number {
  const path = join(folder, 'flushed')
  const file = openSync(path, 'w')
  const startedAt = performance.now()
  writeSync(file, 'x')
  fsyncSync(file)
  const tookMs = performance.now() - startedAt
  closeSync(file)
  unlinkSync(path)
  return tookMs
}
