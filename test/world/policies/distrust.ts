import { openDatabase } from '#platform/database'
import { keepDistrusted } from '../../../src/policy/rejudge/distrust.ts'
import { createSnapshotLoader } from '../../../src/policy/snapshot/load.ts'

/** Does what a node does that found the official engine disagreeing with the rules in force. */
export async function distrustRulesInForce(url: string, nowMs: number): Promise<void> {
  const database = await openDatabase({ url })
  try {
    const loaded = await createSnapshotLoader(database.query)()
    await keepDistrusted({ database, clock: { now: () => nowMs } }, loaded)
  } finally {
    await database.close()
  }
}
