/**
 * How does the data plane stop?
 * Stops: a call that is cut although it had time left; an end that is missing on record because the ledger closed first.
 * Trusts: the listener to accept nothing more from the first moment on.
 * Fails: a call that cannot end is left after its time; its intent is closed as unknown at the next start.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Gateway } from '../create-gateway.ts'

/** How long calls that were cut off have to put their end on record. */
const settleMs = 5_000

/**
 * Ends streams that wait for news, lets calls finish for up to `graceMs`, then ends what is left in good order.
 * Resolves when every end is on record, or soon after the time is up.
 */
export async function drainGateway(
  gateway: Pick<Gateway, 'drain' | 'endAll' | 'settled'>,
  listener: { close(graceMs: number, lastWords: () => void): Promise<void> },
  graceMs: number,
): Promise<void> {
  gateway.drain()
  await listener.close(graceMs, gateway.endAll)
  const waited = new AbortController()
  const late = sleep(settleMs, undefined, { signal: waited.signal }).catch(() => undefined)
  await Promise.race([gateway.settled(), late])
  waited.abort()
}
