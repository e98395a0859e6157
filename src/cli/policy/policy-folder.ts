import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { CliFailure } from '../failure.ts'

/** One file of a policy folder; its path from there, steps separated by `/`. */
export interface FolderFile {
  readonly path: string
  readonly text: string
}

const maxFileBytes = 4 * 1024 * 1024
const maxFolderBytes = 16 * 1024 * 1024
const parts = new Set(['roles', 'policies', 'tests'])

function unreadable(path: string, why: string): CliFailure {
  const hint = 'a policy folder has `roles/*.yaml` or `roles.yaml`, `policies/*.cedar` and `tests/*.yaml`'
  return new CliFailure('usage', 'cli.policy-folder', `\`${path}\` ${why}`, hint)
}

/** What is read so far, so that a folder that is none of policies ends soon. */
interface Reading {
  readonly folder: string
  left: number
}

function readBytes(path: string): Buffer {
  try {
    const { size } = statSync(path)
    if (size > maxFileBytes) throw unreadable(path, `is larger than ${maxFileBytes} bytes`)
    return readFileSync(path)
  } catch (error) {
    if (error instanceof CliFailure) throw error
    throw unreadable(path, 'cannot be read')
  }
}

function readText(reading: Reading, path: string): FolderFile {
  const full = join(reading.folder, path)
  const bytes = readBytes(full)
  reading.left -= bytes.length
  if (reading.left < 0) throw unreadable(reading.folder, `holds more than ${maxFolderBytes} bytes of policy`)
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    throw unreadable(full, 'is not UTF-8 text')
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries.toSorted((one, other) => (one.name < other.name ? -1 : 1))
  } catch {
    throw unreadable(folder, 'cannot be read')
  }
}

function walk(reading: Reading, below: string): FolderFile[] {
  const entries = entriesOf(join(reading.folder, below)).filter(({ name }) => !name.startsWith('.'))
  return entries.flatMap((entry): FolderFile[] => {
    const path = `${below}/${entry.name}`
    if (entry.isDirectory()) return walk(reading, path)
    // WHY: a link could make anything of this machine part of a policy that others read.
    if (!entry.isFile()) throw unreadable(join(reading.folder, path), 'is no plain file')
    return [readText(reading, path)]
  })
}

/**
 * Everything in the parts of a policy folder that mean something; the rest of a repository lies beside them unread.
 * @throws CliFailure `cli.policy-folder`
 */
export function readPolicyFolder(folder: string): FolderFile[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw unreadable(folder, 'is no folder')
  const entries = entriesOf(folder)
  const roles = entries.filter(({ name }) => /^roles\.ya?ml$/.test(name))
  const folders = entries.filter(({ name }) => parts.has(name))
  if (roles.length === 0 && folders.length === 0) throw unreadable(folder, 'holds no policy')
  // INVARIANT: what has the name of a part is that part or an error; passed over, it would be taken out of the policy.
  const oddRole = roles.find((entry) => !entry.isFile())
  if (oddRole !== undefined) throw unreadable(join(folder, oddRole.name), 'is no plain file')
  const oddPart = folders.find((entry) => !entry.isDirectory())
  if (oddPart !== undefined) throw unreadable(join(folder, oddPart.name), 'is no folder, or a link to one')
  const reading = { folder, left: maxFolderBytes }
  return [...roles.map(({ name }) => readText(reading, name)), ...folders.flatMap(({ name }) => walk(reading, name))]
}
