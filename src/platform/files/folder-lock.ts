import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Misuse } from '#kernel'

// WHY: the lock ends with the object that holds it, and a holder may well drop its handle for good.
const heldLocks = new Set<DatabaseSync>()

/**
 * Takes a lock of the operating system on the file, through SQLite, which is the only way to one without a
 * package. It ends with its process, killed or not, so there is no stale lock to judge.
 * @param pidPath where the holder's process id is left for the message to others
 */
export function takeLock(lockPath: string, pidPath: string): { release(): void } {
  closeSync(openSync(lockPath, 'a', 0o600))
  const database = new DatabaseSync(lockPath, { timeout: 0 })
  try {
    database.exec('begin exclusive')
  } catch (error) {
    database.close()
    throw new Misuse(
      'files.locked',
      `another castellan${holder(pidPath)} uses the data folder`,
      'stop it first, or give this one its own `dataDir`',
      { cause: error },
    )
  }
  writeFileSync(pidPath, `${process.pid}\n`, { mode: 0o600 })
  heldLocks.add(database)
  return {
    release() {
      if (heldLocks.delete(database)) database.close()
    },
  }
}

function holder(pidPath: string): string {
  try {
    return ` (process ${Number.parseInt(readFileSync(pidPath, 'utf8'), 10)})`
  } catch {
    return ''
  }
}
