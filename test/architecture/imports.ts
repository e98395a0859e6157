import { posix } from 'node:path'
import { floors, isTest, roofFiles, roomOf } from './rooms.ts'
import type { ImportUse, Source } from './source.ts'

const { dirname, join, normalize } = posix

function roomOfDoor(specifier: string): string | undefined {
  return /^#([a-z]+)(\/[a-z-]+)?$/.exec(specifier)?.[1]
}

function inSource(sources: readonly Source[]): readonly Source[] {
  return sources.filter((source) => source.path.startsWith('src/'))
}

/** Rule 1: import only downward, never sideways, never up. */
export function importsUpward(sources: readonly Source[]): string[] {
  return inSource(sources).flatMap((source) => {
    const room = roomOf(source.path)
    if (room === undefined) {
      return roofFiles.includes(source.path) || isTest(source.path) ? [] : [`${source.path}: lies in no room`]
    }
    const floor = floors[room]
    if (floor === undefined) return [`${source.path}: the room ${room} is on no floor`]
    return source.imports.flatMap((use) => {
      const other = roomOfDoor(use.specifier)
      if (other === undefined || other === room) return []
      const otherFloor = floors[other] ?? Infinity
      return otherFloor < floor ? [] : [`${source.path}:${use.line} ${room} may not import ${use.specifier}`]
    })
  })
}

/** Rule 2: the control plane and the data plane meet only in what is stored and in `compose.ts`. */
export function controlPlaneImportsGateway(sources: readonly Source[]): string[] {
  return inSource(sources).flatMap((source) => {
    const room = roomOf(source.path)
    if (room !== 'admin' && room !== 'cli') return []
    return source.imports
      .filter((use) => roomOfDoor(use.specifier) === 'gateway')
      .map((use) => `${source.path}:${use.line} ${room} may not import #gateway`)
  })
}

/** `compose.ts` and `main.ts` see every floor and are seen by none. */
export function importsRoof(sources: readonly Source[]): string[] {
  return inSource(sources).flatMap((source) =>
    roofFiles.includes(source.path) || isTest(source.path)
      ? []
      : source.imports
          .filter((use) => isRelative(use) && roofFiles.includes(normalize(join(dirname(source.path), use.specifier))))
          .map((use) => `${source.path}:${use.line} nothing imports ${use.specifier}`),
  )
}

function isRelative(use: ImportUse): boolean {
  return use.specifier.startsWith('.')
}

/** What a door closes: a room, or one of the parts that `platform` is made of. */
function unitOf(path: string): string | undefined {
  return /^src\/(platform\/[^/]+|[^/]+)\//.exec(path)?.[1]
}

/** Rule 4, across rooms: through the door, by its `#name`. */
export function bypassesDoor(sources: readonly Source[]): string[] {
  return inSource(sources).flatMap((source) =>
    source.imports.flatMap((use) => {
      const at = `${source.path}:${use.line}`
      if (use.specifier.startsWith('#')) {
        return roomOfDoor(use.specifier) === undefined ? [`${at} ${use.specifier} is not a door`] : []
      }
      if (use.specifier.startsWith('/')) return [`${at} an absolute import`]
      if (!isRelative(use)) return []
      const target = normalize(join(dirname(source.path), use.specifier))
      if (isTest(source.path) && target.startsWith('test/')) return []
      if (roofFiles.includes(source.path)) return roomOf(target) ? [`${at} reaches into ${target}: use its door`] : []
      if (isTest(source.path) && roofFiles.includes(target)) return []
      return unitOf(target) === unitOf(source.path) ? [] : [`${at} reaches into ${target}: use its door`]
    }),
  )
}

/** Rule 4, inside a room: at most one `../`, with the extension. */
export function climbsTooFar(sources: readonly Source[]): string[] {
  return inSource(sources).flatMap((source) =>
    source.imports.flatMap((use) => {
      const at = `${source.path}:${use.line}`
      if (!isRelative(use)) return []
      const target = normalize(join(dirname(source.path), use.specifier))
      if (isTest(source.path) && target.startsWith('test/')) return []
      if (use.specifier.startsWith('../../')) return [`${at} climbs more than one folder: ${use.specifier}`]
      return /\.(ts|json|js)$/.test(use.specifier) ? [] : [`${at} lacks its extension: ${use.specifier}`]
    }),
  )
}

/** Rule 5: kernel is under 20 files, imports nothing but itself. */
export function kernelDepends(sources: readonly Source[]): string[] {
  const files = sources.filter((source) => roomOf(source.path) === 'kernel' && !isTest(source.path))
  const outside = files.flatMap((source) =>
    source.imports
      .filter((use) => !use.specifier.startsWith('./'))
      .map((use) => `${source.path}:${use.line} kernel depends on ${use.specifier}`),
  )
  return files.length < 20 ? outside : [...outside, `src/kernel has ${files.length} files`]
}

/** Rule 7: the console knows the product only by its published API. */
export function consoleImportsSource(sources: readonly Source[]): string[] {
  return sources
    .filter((source) => source.path.startsWith('console/'))
    .flatMap((source) =>
      source.imports
        .filter(
          (use) =>
            use.specifier.startsWith('#') ||
            (isRelative(use) && !normalize(join(dirname(source.path), use.specifier)).startsWith('console/')),
        )
        .map((use) => `${source.path}:${use.line} the console imports ${use.specifier}`),
    )
}
