import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readSource, type Source } from './source.ts'

export const repository = fileURLToPath(new URL('../../', import.meta.url))

const skipped = new Set(['node_modules', '.git', 'dist', 'coverage', '.castellan'])
const code = /\.(ts|js|mjs)$/
const binary = /\.(png|jpg|ico|woff2?|gz|tgz|zip|pdf)$/

export interface Tree {
  /** Relative to the repository. */
  readonly folders: readonly string[]
  readonly paths: readonly string[]
  readonly sources: readonly Source[]
  readonly texts: readonly { path: string; text: string }[]
}

/** The repository as it lies on disk, each source parsed once. */
export function readTree(root = repository): Tree {
  const folders: string[] = []
  const paths: string[] = []
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (skipped.has(entry.name)) continue
      if (entry.isDirectory()) {
        folders.push(path)
        visit(path)
      } else if (entry.isFile()) paths.push(path)
    }
  }
  visit('')
  const texts = paths
    .filter((path) => !binary.test(path) && path !== 'package-lock.json')
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
  const sources = texts
    .filter(({ path }) => code.test(path) && path.includes('/') && !path.startsWith('docs/'))
    .map(({ path, text }) => readSource(path, text))
  return { folders, paths, sources, texts }
}

/** The doors that package.json opens to the rooms: `#room` to path. */
export function readDoors(root = repository): Record<string, string> {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const doors = (manifest as { imports?: Record<string, string> }).imports
  if (doors === undefined) throw new Error('package.json names no doors')
  return doors
}
