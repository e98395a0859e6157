import { DatabaseSync } from 'node:sqlite'
import { createLedger, defineEvent, type Ledger } from '#audit'
import type { Clock } from '#kernel'
import type { DataFolder } from '#platform/files'
import { onTestFinished } from 'vitest'
import { createTestClock } from './clock.ts'
import { temporaryDataFolder } from './folder.ts'

/** An event for tests that need any. */
export const noted = defineEvent({ name: 'test.noted', says: 'A test noted something.' })

export interface TestLedger {
  readonly ledger: Ledger
  readonly dataFolder: DataFolder
}

/** A ledger on a folder of its own; closed after the running test. */
export async function openTestLedger(
  dataFolder: DataFolder = temporaryDataFolder(),
  clock: Clock = createTestClock(),
): Promise<TestLedger> {
  const ledger = await createLedger({ dataFolder, origin: 'castellan', clock })
  onTestFinished(() => ledger.close())
  return { ledger, dataFolder }
}

/**
 * Makes the ledger of a running gateway unwritable: another program holds the write lock of its file, so that every
 * commit fails after the writer's short wait. Released by the caller or after the running test.
 */
export function obstructLedger(dataFolder: { readonly path: string }): { release(): void } {
  const intruder = new DatabaseSync(`${dataFolder.path}/ledger.db`, { timeout: 5000 })
  intruder.exec('BEGIN IMMEDIATE')
  let isHeld = true
  const release = () => {
    if (isHeld) intruder.close()
    isHeld = false
  }
  onTestFinished(release)
  return { release }
}
