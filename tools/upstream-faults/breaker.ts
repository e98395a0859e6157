/**
 * Does a breaker open after five failures and close a minute later, to the second?
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { callOnce } from './calls.ts'
import type { Stage } from './stage.ts'

export interface BreakerFigures {
  readonly holds: boolean
  readonly failuresUntilOpen: number
  readonly refusedInMs: number
  readonly closedAfterSeconds: number
}

const openSeconds = 60

export async function opensAndCloses(stage: Stage): Promise<BreakerFigures> {
  const server = await stage.startServer()
  const become = async (way: string) => void (await fetch(`http://127.0.0.1:${server.port}/become/${way}`))
  const target = await stage.add('turning', server.url('turn'))
  await callOnce(target)
  await become('status-500')
  let failures = 0
  let last = await callOnce(target)
  while (last.code === 'gateway.upstream-misbehaved' && failures < 20) {
    failures += 1
    last = await callOnce(target)
  }
  const openedAt = performance.now()
  const refused = await callOnce(target)
  await become('honest')
  let asked = refused
  while (asked.code === 'gateway.upstream-unavailable' && performance.now() - openedAt < 2 * openSeconds * 1_000) {
    await sleep(100)
    asked = await callOnce(target)
  }
  const closedAfterSeconds = (performance.now() - openedAt) / 1_000
  const isOnTime = closedAfterSeconds > openSeconds - 2 && closedAfterSeconds < openSeconds + 3
  return {
    holds: failures === 5 && asked.code === 'result' && isOnTime && refused.tookMs < 250,
    failuresUntilOpen: failures,
    refusedInMs: Math.round(refused.tookMs),
    closedAfterSeconds: Number(closedAfterSeconds.toFixed(1)),
  }
}
