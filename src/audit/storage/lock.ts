/**
 * One writer per folder, for as long as its process lives.
 * Stops: two gateways that number entries side by side.
 * Trusts: the operating system, to release file locks at death.
 * Fails: with Misuse while another writer holds the folder.
 */
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { Misuse } from '#kernel'

import { lockFile } from './schema.ts'

/** @throws Misuse `audit.ledger-held` */
export function holdFolder(folder: string): { release(): void } {
  const path = join(folder, lockFile)
  closeSync(openSync(path, 'a', 0o600))
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    // WHY: an exclusive transaction that never ends; no stale file can outlive the process that began it.
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new Misuse(
      'audit.ledger-held',
      'another process writes the ledger in this data folder',
      'stop it first, or give this one a data folder of its own',
      { cause },
    )
  }
  return { release: () => lock.close() }
}
