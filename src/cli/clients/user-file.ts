import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative, isAbsolute } from 'node:path'
import { CliFailure } from '../failure.ts'
import type { Located } from './locate.ts'

/** A file of a person as it was found. Nothing has been changed. */
export interface UserFile {
  /** Where the client looks. */
  readonly path: string
  /** Where it really is: what symbolic links lead to. */
  readonly realPath: string
  /** Undefined when the file is not there. */
  readonly text: string | undefined
  /** Permission bits; of a new file, for its owner only. */
  readonly mode: number
}

const maxFileBytes = 16 * 1024 * 1024
const ownerOnly = 0o600

function refuse(code: string, message: string, hint: string): CliFailure {
  return new CliFailure('usage', code, message, hint)
}

/** Sixteen hex digits that stand for a text; the same for one that is not there as for no other. */
export function digestOf(...parts: readonly (string | undefined)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part === undefined ? 'absent;' : `${Buffer.byteLength(part)}:${part};`)
  return hash.digest('hex').slice(0, 16)
}

/** The real place of a path of which the end may not exist. */
function realPathOf(path: string): string {
  if (existsSync(path)) return realpathSync(path)
  const parent = dirname(path)
  return parent === path ? path : join(realPathOf(parent), basename(path))
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way !== '' && !way.startsWith('..') && !isAbsolute(way)
}

/** What a client would read as something else than what is written, so nothing is written. */
function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw refuse('cli.client-file-encoding', `\`${path}\` is not UTF-8`, 'save it as UTF-8, then try again')
  }
}

function readOpened(path: string): { text: string; mode: number } {
  // WHY: without it, opening a pipe waits for somebody to write to it.
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const found = fstatSync(descriptor)
    if (!found.isFile() || found.size > maxFileBytes) {
      const hint = 'look at what is there; the entry can be added by hand: see --print'
      throw refuse('cli.client-file-odd', `\`${path}\` is not a plain file of at most 16 MiB`, hint)
    }
    const isOwn = process.getuid === undefined || found.uid === process.getuid()
    if (!isOwn) {
      throw refuse('cli.client-file-foreign', `\`${path}\` belongs to another account`, 'run this as its owner')
    }
    return { text: decode(readFileSync(descriptor), path), mode: found.mode & 0o777 }
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Reads a client's file. A symbolic link is followed to a plain file of the same person; in a project it may not lead
 * out of the project.
 * @throws CliFailure `cli.client-file-…`
 */
export function readUserFile({ path, boundary }: Pick<Located, 'path' | 'boundary'>): UserFile {
  const realPath = realPathOf(path)
  if (boundary !== undefined && !isInside(realPath, realPathOf(boundary))) {
    const message = `\`${path}\` leads out of the project, to \`${realPath}\``
    throw refuse('cli.client-file-elsewhere', message, 'use --scope user, or replace the link by a file')
  }
  if (!existsSync(realPath)) {
    if (isLink(path)) {
      throw refuse('cli.client-file-dangling', `\`${path}\` is a link to nothing`, 'remove the link, or make its file')
    }
    return { path, realPath, text: undefined, mode: ownerOnly }
  }
  try {
    return { path, realPath, ...readOpened(realPath) }
  } catch (error) {
    if (error instanceof CliFailure) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw refuse('cli.client-file-unreadable', `\`${path}\` cannot be read (${code})`, 'look at its permissions')
  }
}

function writeDraft(path: string, text: string, mode: number): void {
  const descriptor = openSync(path, 'wx', ownerOnly)
  try {
    writeFileSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  chmodSync(path, mode)
}

/** Puts a text in a file's place, at once and as a whole; the link that leads there stays a link. */
export function replaceText(realPath: string, text: string, mode: number): void {
  const draft = join(dirname(realPath), `.${basename(realPath)}.castellan-${randomBytes(6).toString('hex')}`)
  try {
    writeDraft(draft, text, mode)
    renameSync(draft, realPath)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

/** Keeps a text beside its file, for the owner only. @returns where */
export function writeBackup(realPath: string, text: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  for (let count = 1; ; count += 1) {
    const path = `${realPath}.castellan-backup-${stamp}${count === 1 ? '' : `-${count}`}`
    if (existsSync(path)) continue
    writeDraft(path, text, ownerOnly)
    return path
  }
}

const lockWaitMs = 5_000
const staleLockMs = 15_000
const lockStepMs = 25

function takeLock(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', ownerOnly))
    return true
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  const held = statSync(lock, { throwIfNoEntry: false })
  // WHY: a run that was killed leaves its lock behind; a run that works holds it for milliseconds.
  if (held !== undefined && Date.now() - held.mtimeMs > staleLockMs) rmSync(lock, { force: true })
  return false
}

/** Runs something while no other castellan changes this file. @throws CliFailure `cli.client-file-busy` */
export async function whileLocked<Value>(realPath: string, work: () => Value | Promise<Value>): Promise<Value> {
  mkdirSync(dirname(realPath), { recursive: true, mode: 0o700 })
  const lock = `${realPath}.castellan-lock`
  const stopAt = Date.now() + lockWaitMs
  while (!takeLock(lock)) {
    if (Date.now() > stopAt) {
      throw refuse(
        'cli.client-file-busy',
        `another castellan is changing \`${realPath}\``,
        `if none is, remove \`${lock}\``,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, lockStepMs))
  }
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}
