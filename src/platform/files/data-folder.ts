import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Misuse } from '#kernel'
import { takeLock } from './folder-lock.ts'

const othersBits = 0o077
const abandonedAfterMs = 60_000
const draftPattern = /^\.draft-/

/** One process holds it; the operating system lets go of it when the process ends in any way. */
export interface FolderLock {
  release(): void
}

/** The folder where one installation keeps its keys and files; readable by its owner only. */
export interface DataFolder {
  readonly path: string
  /** Absolute path of a file in the folder, existing or not. */
  file(name: string): string
  /** @throws Misuse `files.not-private` when others can read it or it is not a plain file */
  readSecret(name: string): Buffer | undefined
  /** Readers see the old bytes or the new ones, whole; durable when it returns. Mode 0600. */
  writeSecret(name: string, bytes: Uint8Array): void
  /**
   * The secret, made once: of several processes that call it at the same time, all get the same bytes.
   * @throws Misuse `files.weak-secret` when it is empty, or made of so few different bytes that anybody could guess it
   */
  secretOrCreate(name: string, make: () => Uint8Array): Buffer
  /** No error when there is none. */
  remove(name: string): void
  /** @throws Misuse `files.locked` when another holder is alive */
  lock(name: string): FolderLock
}

/**
 * Opens the folder, made with mode 0700 when it is missing.
 * @throws Misuse `files.not-private` when others can reach into it, `files.not-ours` when another account owns
 * it, `files.unusable` when it cannot be made or is not a folder
 */
export function openDataFolder(path: string): DataFolder {
  const folder = makeFolder(path)
  sweepDrafts(folder)
  const file = (name: string) => join(folder, checkedName(name))
  return {
    path: folder,
    file,
    readSecret: (name) => readPrivate(file(name)),
    writeSecret(name, bytes) {
      const target = file(name)
      renameSync(writeDraft(folder, bytes), target)
      flushFolder(folder)
    },
    secretOrCreate: (name, make) => readStrong(file(name)) ?? createSecret(folder, file(name), make()),
    remove(name) {
      if (unlinkIfThere(file(name))) flushFolder(folder)
    },
    lock: (name) => takeLock(file(`${name}.lock`), file(`${name}.pid`)),
  }
}

function makeFolder(path: string): string {
  try {
    // WHY: the umask may take bits away from a folder that is made, and gives none back.
    if (mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(path, 0o700)
    const folder = realpathSync(path)
    checkFolder(folder)
    return folder
  } catch (error) {
    if (error instanceof Misuse) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new Misuse(
      'files.unusable',
      `the data folder cannot be used: ${reason}`,
      'name a folder that can be made or written in `dataDir` (CASTELLAN_DATA_DIR)',
      { cause: error },
    )
  }
}

function checkFolder(folder: string): void {
  const { mode, uid } = statSync(folder)
  const ownUid = process.geteuid?.()
  if (ownUid !== undefined && uid !== ownUid) {
    throw new Misuse(
      'files.not-ours',
      `the data folder \`${folder}\` belongs to another account`,
      'start castellan as the account that owns the folder, or name another folder in `dataDir`',
    )
  }
  if ((mode & othersBits) !== 0) {
    throw new Misuse(
      'files.not-private',
      `the data folder \`${folder}\` can be reached by other accounts`,
      `run \`chmod 700 ${folder}\``,
    )
  }
}

function checkedName(name: string): string {
  if (/^[a-z0-9][a-z0-9.-]*$/.test(name)) return name
  throw new Misuse(
    'files.name',
    `\`${name}\` is not the name of a file in the data folder`,
    'use a-z, 0-9, dot and dash',
  )
}

function readPrivate(path: string): Buffer | undefined {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    if (hasCode(error, 'ELOOP')) throw notPrivate(path)
    throw error
  }
  try {
    const state = fstatSync(descriptor)
    if (!state.isFile() || (state.mode & othersBits) !== 0) throw notPrivate(path)
    return readFileSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** A key is longer, and what is random and this long has more different bytes. */
const fewestBytes = 16
const fewestDifferent = 8

function readStrong(path: string): Buffer | undefined {
  const kept = readPrivate(path)
  if (kept === undefined) return undefined
  const flaw = flawOf(kept)
  if (flaw === undefined) return kept
  throw new Misuse(
    'files.weak-secret',
    `the key in \`${path}\` ${flaw}`,
    'restore it from a backup; what it protects cannot be used with another one',
  )
}

function flawOf(key: Buffer): string | undefined {
  if (key.byteLength < fewestBytes) return key.byteLength === 0 ? 'is empty' : `has ${key.byteLength} bytes only`
  return new Set(key).size < fewestDifferent ? 'is a placeholder: it repeats a few bytes' : undefined
}

function createSecret(folder: string, target: string, bytes: Uint8Array): Buffer {
  const draft = writeDraft(folder, bytes)
  try {
    // WHY: unlike a rename, a link never replaces what another process has put there in the meantime.
    linkSync(draft, target)
    flushFolder(folder)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    unlinkSync(draft)
  }
  const kept = readPrivate(target)
  if (kept === undefined) throw new Error('a secret disappeared while it was being made')
  return kept
}

function writeDraft(folder: string, bytes: Uint8Array): string {
  const draft = join(folder, `.draft-${randomBytes(12).toString('hex')}`)
  const descriptor = openSync(draft, 'wx', 0o600)
  try {
    fchmodSync(descriptor, 0o600)
    writeFileSync(descriptor, bytes)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  return draft
}

/** What processes left behind that were ended while they were writing. */
function sweepDrafts(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!draftPattern.test(name)) continue
    const path = join(folder, name)
    const changedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs
    if (changedAt !== undefined && Date.now() - changedAt > abandonedAfterMs) unlinkIfThere(path)
  }
}

function unlinkIfThere(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

function flushFolder(folder: string): void {
  const descriptor = openSync(folder, constants.O_RDONLY)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function notPrivate(path: string): Misuse {
  return new Misuse(
    'files.not-private',
    `the file \`${path}\` can be read by other accounts or is not a plain file`,
    `find out who could read it; then replace the secret, or run \`chmod 600 ${path}\``,
  )
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
