import type { Source, SyntaxNode } from './source.ts'

const door = /^src\/(platform\/[^/]+|[^/]+)\/index\.ts$/

export function isDoor(path: string): boolean {
  return door.test(path)
}

function isReExport(node: SyntaxNode): boolean {
  return node.type === 'ExportAllDeclaration' || (node.type === 'ExportNamedDeclaration' && node.source !== null)
}

/** Rule 4: exports are written out by name. */
export function exportsByStar(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    source.imports
      .filter((use) => use.kind === 'export-all')
      .map((use) => `${source.path}:${use.line} export * from ${use.specifier}`),
  )
}

/** A door is a list of names: what a room does lies in its files. */
export function doorHoldsCode(sources: readonly Source[]): string[] {
  return sources
    .filter((source) => isDoor(source.path))
    .flatMap((source) =>
      source.topLevel
        .filter((node) => !isReExport(node))
        .slice(0, 1)
        .map((node) => `${source.path}:${source.lineAt(node.start)} a door only exports by name`),
    )
}

/** A file that only re-exports is a defect, unless it is the door of a room. */
export function onlyReExports(sources: readonly Source[]): string[] {
  return sources
    .filter((source) => !isDoor(source.path) && source.topLevel.length > 0)
    .filter((source) => source.topLevel.every((node) => isReExport(node)))
    .map((source) => `${source.path}: only re-exports`)
}

/** Named exports only, except where a tool demands a default one. */
export function exportsDefault(sources: readonly Source[]): string[] {
  return sources
    .filter((source) => !source.path.endsWith('.config.ts'))
    .flatMap((source) =>
      source.nodes
        .filter((node) => node.type === 'ExportDefaultDeclaration')
        .map((node) => `${source.path}:${source.lineAt(node.start)} default export`),
    )
}

/** Every room that exists has its door in package.json, and every door there leads to a file. */
export function doorsAndRoomsDiffer(sources: readonly Source[], doors: Readonly<Record<string, string>>): string[] {
  const files = new Set(sources.map((source) => source.path))
  const registered = new Set(Object.values(doors).map((target) => target.replace(/^\.\//, '')))
  const lead = [...registered].filter((target) => !files.has(target)).map((target) => `${target}: a door to nothing`)
  const lack = [...files]
    .filter((path) => isDoor(path) && !registered.has(path) && path !== 'src/platform/index.ts')
    .map((path) => `${path}: a door that package.json does not name`)
  const rooms = new Set([...files].flatMap((path) => /^src\/([^/]+)\//.exec(path)?.[1] ?? []))
  const closed = [...rooms]
    .filter((room) => room !== 'platform' && !files.has(`src/${room}/index.ts`))
    .map((room) => `src/${room}: a room without a door`)
  return [...lead, ...lack, ...closed]
}
