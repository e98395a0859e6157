import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { CliFailure } from '../failure.ts'

/** One file of a policy folder; its path from there, steps separated by `/`. */
export interface FolderFile {
  readonly path: string
  readonly text: string
}

const maxFileBytes = 4 * 1024 * 1024
const parts = ['roles', 'policies', 'tests'] as const

function unreadable(path: string, why: string): CliFailure {
  const hint = 'a policy folder has `roles/*.yaml` or `roles.yaml`, `policies/*.cedar` and `tests/*.yaml`'
  return new CliFailure('usage', 'cli.policy-folder', `\`${path}\` ${why}`, hint)
}

function readText(path: string): string {
  const bytes = readFileSync(path)
  if (bytes.length > maxFileBytes) throw unreadable(path, `is larger than ${maxFileBytes} bytes`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw unreadable(path, 'is not UTF-8 text')
  }
}

function walk(folder: string, below: string): FolderFile[] {
  const entries = readdirSync(join(folder, below), { withFileTypes: true })
  return entries
    .filter(({ name }) => !name.startsWith('.'))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry): FolderFile[] => {
      const path = `${below}/${entry.name}`
      if (entry.isDirectory()) return walk(folder, path)
      // WHY: a link could make anything of this machine part of a policy that others read.
      if (!entry.isFile()) throw unreadable(join(folder, path), 'is no plain file')
      return [{ path, text: readText(join(folder, path)) }]
    })
}

/**
 * Everything in the parts of a policy folder that mean something; the rest of a repository lies beside them unread.
 * @throws CliFailure `cli.policy-folder`
 */
export function readPolicyFolder(folder: string): FolderFile[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw unreadable(folder, 'is no folder')
  const entries = readdirSync(folder, { withFileTypes: true })
  const roles = entries.filter((entry) => entry.isFile() && /^roles\.ya?ml$/.test(entry.name))
  const folders = parts.filter((part) => entries.some((entry) => entry.name === part && entry.isDirectory()))
  if (roles.length === 0 && folders.length === 0) throw unreadable(folder, 'holds no policy')
  return [
    ...roles.map(({ name }) => ({ path: name, text: readText(join(folder, name)) })),
    ...folders.flatMap((part) => walk(folder, part)),
  ]
}
