import { expect, vi } from 'vitest'
import type { LedgerEntry, World } from '../castellan.ts'

/** The entries of a kind, once there are so many: an end is on record a moment after its answer was sent. */
export function entriesOf(world: World, query: string, count: number): Promise<LedgerEntry[]> {
  return vi.waitFor(
    async () => {
      const entries = await world.ledger(`&${query}`)
      expect(entries).toHaveLength(count)
      return entries
    },
    { timeout: 10_000, interval: 50 },
  )
}
