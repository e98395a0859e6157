/** `castellan up` that is killed and started again on the same data folder, as init systems do. */
import { watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Program, startProgram } from '../../test/world/program.ts'
import type { Random } from '../fuzz/random.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))
const readyPattern = /^\{.*"event":"ready".*\}$/m
const startTimeoutMs = 30_000

/** When it is killed: at any moment, at a write of a commit, inside a system call, or before it is up. */
export type Instant = 'random' | 'commit' | 'system-call' | 'start'

/** A system call at whose beginning the kernel kills the process. */
export interface Injection {
  readonly call: string
  /** At which one of them, counted from the start. */
  readonly at: number
}

export interface Started {
  readonly program: Program
  /** From the start of the process to its being ready for calls, loading the program included. */
  readonly restartMs: number
  /** Of it, from opening the data folder to being ready for calls. */
  readonly recoveryMs: number
}

function straceArguments({ call, at }: Injection, log: string): string[] {
  const calls = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${at}`]
  return ['-f', '--seccomp-bpf', '-qqq', '-o', log, ...calls]
}

/** Starts the process; under a tracer when it is to be killed inside a system call. */
export function start(env: NodeJS.ProcessEnv, injection?: Injection): Program {
  const command = [process.execPath, launcher, 'up']
  if (injection === undefined) return startProgram(process.execPath, command.slice(1), { env })
  return startProgram('strace', [...straceArguments(injection, '/dev/null'), ...command], { env })
}

/** @returns undefined when it ended before it was ready. @throws when it is neither ready nor ended in time */
export async function untilReady(program: Program, startedAt: number): Promise<Started | undefined> {
  const giveUpAt = performance.now() + startTimeoutMs
  let hasEnded = false
  void program.ended.then(() => (hasEnded = true))
  for (;;) {
    const [ready] = readyPattern.exec(program.stdout()) ?? []
    if (ready !== undefined) {
      const { startedInMs } = JSON.parse(ready) as { startedInMs: number }
      return { program, restartMs: performance.now() - startedAt, recoveryMs: startedInMs }
    }
    if (hasEnded) return undefined
    if (performance.now() > giveUpAt) throw new Error(`castellan was not ready in time: ${program.output()}`)
    await sleep(2)
  }
}

/** Kills the whole group at once, without a chance to clean up. */
export async function kill({ pid, ended }: Program): Promise<void> {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // WHY: it may have ended by itself in the meantime, inside a system call.
  }
  await ended
}

/** Resolves at the next write to the ledger's journal: a commit has begun and is not flushed yet. */
export function nextCommit(dataDir: string, mostMs: number): Promise<void> {
  const journal = join(dataDir, 'ledger.db-wal')
  return new Promise((resolve) => {
    const watcher = watch(dirname(journal), (_event, name) => {
      if (name === basename(journal)) finish()
    })
    const timer = setTimeout(finish, mostMs)
    function finish(): void {
      clearTimeout(timer)
      watcher.close()
      resolve()
    }
  })
}

/** Calls that move the ledger or the database from one state to the next, and how many of them a short life has. */
const targets: readonly { readonly call: string; readonly most: number }[] = [
  { call: 'fdatasync', most: 120 },
  { call: 'pwrite64', most: 1_500 },
  { call: 'fsync', most: 40 },
  { call: 'rename', most: 4 },
  { call: 'ftruncate', most: 6 },
  { call: 'unlink', most: 6 },
]

export function chooseInjection(random: Random): Injection {
  const { call, most } = random.pick(targets)
  // WHY: the first ones are those of recovery itself, and are as likely as all that come after them.
  return { call, at: Math.floor(most ** (random.below(1_000) / 1_000)) }
}
