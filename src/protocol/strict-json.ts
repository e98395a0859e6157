/** Deepest nesting of arrays and objects that is read. */
export const maxJsonDepth = 64

/** Where the value of the outermost `id` lies in the text: first character and one past the last. */
export type Span = readonly [start: number, end: number]

/** What makes a JSON text ambiguous or too deep; undefined when nothing does. */
export type StrictProblem = 'duplicate-key' | 'too-deep'

/** UTF-16 units with a meaning in JSON. */
export const jsonCode = {
  quote: 0x22,
  backslash: 0x5c,
  comma: 0x2c,
  colon: 0x3a,
  open: 0x7b,
  close: 0x7d,
  openList: 0x5b,
  closeList: 0x5d,
}

/** The first position from here on that is not white space. */
export function skipSpace(text: string, from: number): number {
  let at = from
  for (;;) {
    const unit = text.charCodeAt(at)
    if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return at
    at += 1
  }
}

/** One past the quote that closes the string. @param from the opening quote */
export function endOfString(text: string, from: number): number {
  let at = from + 1
  for (;;) {
    const quote = text.indexOf('"', at)
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === jsonCode.backslash) slashes += 1
    if (slashes % 2 === 0) return quote + 1
    at = quote + 1
  }
}

/** One past a number or a literal. */
export function endOfScalar(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const unit = text.charCodeAt(at)
    if (unit === jsonCode.comma || unit === jsonCode.close || unit === jsonCode.closeList || unit <= 0x20) return at
    at += 1
  }
  return at
}

/**
 * Reads a text that `JSON.parse` already accepted and finds what parsers disagree about: a key that appears twice
 * in one object (RFC 8259, section 4), and nesting beyond `maxJsonDepth`. Linear in the text.
 * @returns the problem, and where the outermost `id` is
 */
export function readStrictly(text: string): { problem?: StrictProblem; id?: Span } {
  const scopes: (Set<string> | undefined)[] = []
  let at = skipSpace(text, 0)
  let id: Span | undefined
  let idStart: number | undefined
  let isKeyNext = false
  while (at < text.length) {
    const unit = text.charCodeAt(at)
    const keys = scopes.at(-1)
    if (unit === jsonCode.quote) {
      const end = endOfString(text, at)
      if (isKeyNext && keys !== undefined) {
        const key = String(JSON.parse(text.slice(at, end)))
        if (keys.has(key)) return { problem: 'duplicate-key' }
        keys.add(key)
        isKeyNext = false
        if (scopes.length === 1 && key === 'id') idStart = skipSpace(text, skipSpace(text, end) + 1)
      }
      if (idStart === at) id = [at, end]
      at = end
    } else if (unit === jsonCode.open || unit === jsonCode.openList) {
      if (scopes.length === maxJsonDepth) return { problem: 'too-deep' }
      scopes.push(unit === jsonCode.open ? new Set() : undefined)
      isKeyNext = unit === jsonCode.open
      at += 1
    } else if (unit === jsonCode.close || unit === jsonCode.closeList) {
      scopes.pop()
      isKeyNext = false
      at += 1
    } else if (unit === jsonCode.comma) {
      isKeyNext = keys !== undefined
      at += 1
    } else if (unit === jsonCode.colon) {
      at += 1
    } else {
      const end = endOfScalar(text, at)
      if (idStart === at) id = [at, end]
      at = end
    }
    at = skipSpace(text, at)
  }
  return id === undefined ? {} : { id }
}

/** Whether a parsed value nests deeper than `levels`. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  // WHY: most values are no containers; asking that here spares a call for each.
  if (Array.isArray(value)) return value.some((item) => typeof item === 'object' && isDeeperThan(item, levels - 1))
  for (const key in value) {
    const member: unknown = (value as Record<string, unknown>)[key]
    if (typeof member === 'object' && isDeeperThan(member, levels - 1)) return true
  }
  return false
}
