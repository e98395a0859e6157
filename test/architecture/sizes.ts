import { posix } from 'node:path'
import { isTest } from './rooms.ts'
import type { Source } from './source.ts'

const fileLines = 400
const functionLines = 60
const folderFiles = 20
const foldersBelowSource = 4

/** Files with a lower ceiling of their own. */
const fileCeilings: readonly { readonly path: RegExp; readonly lines: number }[] = [
  { path: /^src\/compose\.ts$/, lines: 150 },
  { path: /^src\/gateway\/pipeline\.ts$/, lines: 200 },
  { path: /^src\/gateway\/guards\/[^/]+\.ts$/, lines: 150 },
  { path: /^src\/(inspection\/detectors|audit\/sinks|secrets\/providers)\/.+\.ts$/, lines: 150 },
]

export function filesTooLong(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const own = isTest(source.path) ? undefined : fileCeilings.find((ceiling) => ceiling.path.test(source.path))
    const ceiling = own?.lines ?? fileLines
    return source.lines > ceiling ? [`${source.path}: ${source.lines} lines, at most ${ceiling}`] : []
  })
}

/** A block of tests is a list, not a function. */
const lists = /^(describe|each[A-Z]\w*|suite)$/

export function functionsTooLong(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    source.functions
      .filter((span) => span.lines > functionLines && !(isTest(source.path) && lists.test(span.passedTo ?? '')))
      .map((span) => `${source.path}:${span.line} a function of ${span.lines} lines, at most ${functionLines}`),
  )
}

export function foldersTooFull(paths: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const path of paths) {
    // WHY: a test lies beside what it tests and is found with it, so it takes no place of its own.
    if (!/^(src|test|tools|examples|bench|console)\//.test(path) || path.endsWith('.test.ts')) continue
    const folder = posix.dirname(path)
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  return [...counts]
    .filter(([, count]) => count > folderFiles)
    .map(([folder, count]) => `${folder}: ${count} files, at most ${folderFiles}`)
}

export function foldersTooDeep(paths: readonly string[]): string[] {
  return paths
    .filter((path) => path.startsWith('src/') && path.split('/').length - 2 > foldersBelowSource)
    .map((path) => `${path}: deeper than ${foldersBelowSource} folders below src`)
}

export function emptyFolders(folders: readonly string[], paths: readonly string[]): string[] {
  return folders
    .filter((folder) => !paths.some((path) => path.startsWith(`${folder}/`)))
    .map((folder) => `${folder}: an empty folder`)
}

export function emptyFiles(sources: readonly Source[]): string[] {
  return sources.filter((source) => source.topLevel.length === 0).map((source) => `${source.path}: nothing in it`)
}
