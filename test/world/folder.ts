import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DataFolder, openDataFolder } from '#platform/files'
import { atEnd } from '../ending.ts'

/** An empty folder (0700) that is removed after the running test. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'castellan-'))
  atEnd(() => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }))
  return path
}

/** A data folder that is removed after the running test. */
export function temporaryDataFolder(): DataFolder {
  return openDataFolder(temporaryFolder())
}
