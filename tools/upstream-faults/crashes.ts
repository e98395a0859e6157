/**
 * A stdio server that crashes at every call, and one that does not: how often is the first one started, and what is left of
 * both when the gateway is killed?
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { callOnce } from './calls.ts'
import { crashingServer, isAlive, type Stage } from './stage.ts'

export interface CrashFigures {
  readonly holds: boolean
  readonly calls: number
  /** Processes of the crashing server, its review's included. */
  readonly starts: number
  readonly codes: Readonly<Record<string, number>>
  readonly orphans: number
}

const forMs = 6_000
/** At once, after 1 s and after 3 s; with one for the review, and one for a probe of what it speaks. */
const mostStarts = 6

function pidsIn(file: string): number[] {
  return readFileSync(file, 'utf8').trim().split('\n').map(Number)
}

export async function crashes(stage: Stage): Promise<CrashFigures> {
  const [crashing, steady] = ['crashing', 'steady'].map((name) => join(stage.folder, name)) as [string, string]
  const target = await stage.add('crashing', crashingServer(crashing, true))
  const other = await stage.add('steady', crashingServer(steady, false))
  const codes: Record<string, number> = {}
  const until = performance.now() + forMs
  let calls = 0
  while (performance.now() < until) {
    const { code } = await callOnce(target)
    calls += 1
    codes[code] = (codes[code] ?? 0) + 1
    await sleep(20)
  }
  const isSteady = (await callOnce(other)).code === 'result'
  const starts = pidsIn(crashing).length / 2
  const pids = [...pidsIn(crashing), ...pidsIn(steady)]
  const hadSome = pids.some(isAlive)
  process.kill(stage.castellan.program.pid, 'SIGKILL')
  for (let tries = 0; tries < 100 && pids.some(isAlive); tries += 1) await sleep(100)
  const orphans = pids.filter(isAlive).length
  const isTold = (codes['gateway.upstream-unavailable'] ?? 0) > 0 && codes['result'] === undefined
  return {
    holds: starts <= mostStarts && isTold && isSteady && hadSome && orphans === 0,
    calls,
    starts,
    codes,
    orphans,
  }
}
