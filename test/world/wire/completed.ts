import { expect } from 'vitest'
import type { LedgerEntry, World } from '../castellan.ts'

/** The ends of calls, once there are as many: an answer is sent before its end is on record. */
export async function completedCalls(world: World, count: number): Promise<LedgerEntry[]> {
  const completed = (): Promise<LedgerEntry[]> => world.ledger('&event=call.completed')
  await expect.poll(async () => (await completed()).length, { timeout: 10_000 }).toBe(count)
  return completed()
}
