/**
 * One of three endpoints is killed under load: which calls fail that were not under way there at that moment?
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { callUntil } from './calls.ts'
import type { Stage } from './stage.ts'

export interface LossFigures {
  readonly holds: boolean
  readonly calls: number
  readonly failed: number
  /** Of those that began after the loss. */
  readonly failedLater: number
}

const callers = 6
const afterMs = 3_000

export async function losesEndpoint(stage: Stage): Promise<LossFigures> {
  const servers = [await stage.startServer(), await stage.startServer(), await stage.startServer()]
  const [first, ...others] = servers.map((server) => server.url('honest'))
  const target = await stage.add('trio', first ?? '')
  for (const url of others) {
    const added = await stage.castellan.ana.api('POST', '/upstreams/trio/endpoints', { url })
    if (added.status !== 201) throw new Error(`an endpoint was not added: ${JSON.stringify(added.body)}`)
  }
  let isOver = false
  const calling = callUntil(target, callers, () => isOver)
  await sleep(1_500)
  const lostAt = performance.now()
  process.kill(servers[1]?.program.pid ?? 0, 'SIGKILL')
  await sleep(afterMs)
  isOver = true
  const ended = await calling
  const failed = ended.filter(({ code }) => code !== 'result')
  // WHY: until the kernel has told the gateway of the end, a call on an open connection is under way there.
  const failedLater = failed.filter(({ startedAt }) => startedAt > lostAt + 20).length
  const isSpread = ended.some(({ startedAt }) => startedAt > lostAt + 1_000)
  return {
    holds: failed.length <= callers && failedLater === 0 && isSpread,
    calls: ended.length,
    failed: failed.length,
    failedLater,
  }
}
