/**
 * The newest signed head, kept outside the database: notices a database that was cut back with its heads.
 * Stops: truncation and roll-back of `ledger.db` alone.
 * Trusts: the order of the writer: the head of a commit is written here after that commit.
 * Fails: by throwing on writing; with undefined when there is no file.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

import { headFile } from './schema.ts'

export interface HeadFile {
  /** Replaces the note in one write: it fits one block and never gets shorter within one ledger. */
  write(note: string): void
  close(): void
}

/** @returns the note, or undefined when the file is missing */
export function readHeadFile(folder: string): string | undefined {
  const path = join(folder, headFile)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

/** Opens the file for the ledger's writer and makes `note` durable in it. */
export function openHeadFile(folder: string, note: string): HeadFile {
  const path = join(folder, headFile)
  const draft = `${path}.draft`
  writeFileSync(draft, note, { mode: 0o600, flush: true })
  renameSync(draft, path)
  flushFolder(folder)
  const descriptor = openSync(path, 'r+')
  return {
    write: (text) => void writeSync(descriptor, text, 0, 'utf8'),
    close: () => closeSync(descriptor),
  }
}

function flushFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
