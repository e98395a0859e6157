import { SyntaxProblem, type PlainValue } from './syntax-problem.ts'

/** A value of a JSON text with its place: from its first character to one past its last. */
export interface JsonNode {
  readonly start: number
  readonly end: number
  readonly value: PlainValue
  /** Of an object, in the order of the text. */
  readonly members?: readonly JsonMember[]
  /** Of a list. */
  readonly items?: readonly JsonNode[]
  /** Of an object or list: whether a comma follows the last one. */
  readonly hasTrailingComma?: boolean
}

export interface JsonMember {
  readonly key: string
  readonly keyStart: number
  readonly node: JsonNode
}

const maxDepth = 200
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y
const text = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const space = /[ \t\r\n]*/y
const comment = /\/\/[^\r\n]*|\/\*[^]*?\*\//y

/** One text while it is read. */
interface Reading {
  readonly source: string
  /** Whether comments and trailing commas are part of the format. */
  readonly hasComments: boolean
  at: number
}

function fail(reading: Reading, says: string, where = reading.at): never {
  throw new SyntaxProblem(says, reading.source, where)
}

function take(reading: Reading, pattern: RegExp): string | undefined {
  pattern.lastIndex = reading.at
  const match = pattern.exec(reading.source)?.[0]
  if (match !== undefined) reading.at += match.length
  return match
}

function unitAt({ source, at }: Reading): string | undefined {
  return source[at]
}

function skip(reading: Reading): void {
  for (;;) {
    take(reading, space)
    if (unitAt(reading) !== '/') return
    if (!reading.hasComments) fail(reading, 'comments are not part of this format')
    if (take(reading, comment) === undefined) fail(reading, 'a comment does not end')
  }
}

function readText(reading: Reading): string {
  const quoted = take(reading, text)
  if (quoted === undefined) {
    return fail(reading, 'a text is not closed, or holds a character that has to be escaped')
  }
  return JSON.parse(quoted) as string
}

function readMember(reading: Reading, depth: number, seen: Set<string>): JsonMember {
  const keyStart = reading.at
  if (unitAt(reading) !== '"') fail(reading, 'a member needs a key in double quotes')
  const key = readText(reading)
  if (seen.has(key)) fail(reading, `the key \`${key}\` appears twice`, keyStart)
  seen.add(key)
  skip(reading)
  if (unitAt(reading) !== ':') fail(reading, 'a colon is missing after the key')
  reading.at += 1
  return { key, keyStart, node: readValue(reading, depth + 1) }
}

/** Reads what stands between two brackets. @returns whether a comma follows the last one */
function readBetween(reading: Reading, close: '}' | ']', read: () => void): boolean {
  reading.at += 1
  skip(reading)
  let isAfterComma = false
  while (unitAt(reading) !== close) {
    if (reading.at >= reading.source.length) fail(reading, `\`${close}\` is missing`)
    read()
    skip(reading)
    isAfterComma = unitAt(reading) === ','
    if (!isAfterComma && unitAt(reading) !== close) fail(reading, `a comma or \`${close}\` is missing`)
    if (!isAfterComma) break
    const comma = reading.at
    reading.at += 1
    skip(reading)
    if (unitAt(reading) === close && !reading.hasComments) fail(reading, 'a comma stands before nothing', comma)
  }
  reading.at += 1
  return isAfterComma
}

function readObject(reading: Reading, depth: number): JsonNode {
  const start = reading.at
  const members: JsonMember[] = []
  const seen = new Set<string>()
  const hasTrailingComma = readBetween(reading, '}', () => members.push(readMember(reading, depth, seen)))
  const value = Object.fromEntries(members.map(({ key, node }) => [key, node.value]))
  return { start, end: reading.at, value, members, hasTrailingComma }
}

function readList(reading: Reading, depth: number): JsonNode {
  const start = reading.at
  const items: JsonNode[] = []
  const hasTrailingComma = readBetween(reading, ']', () => items.push(readValue(reading, depth + 1)))
  return { start, end: reading.at, value: items.map((item) => item.value), items, hasTrailingComma }
}

function readValue(reading: Reading, depth: number): JsonNode {
  skip(reading)
  if (depth > maxDepth) fail(reading, 'it nests too deeply')
  const start = reading.at
  const first = unitAt(reading)
  if (first === '{') return readObject(reading, depth)
  if (first === '[') return readList(reading, depth)
  if (first === '"') return { start, value: readText(reading), end: reading.at }
  const found = take(reading, scalar)
  if (found !== undefined) return { start, value: JSON.parse(found) as PlainValue, end: reading.at }
  return fail(reading, first === undefined ? 'it ends where a value is needed' : 'this is not a value')
}

/**
 * Reads JSON with the place of everything in it.
 * @param options.hasComments whether comments and trailing commas are part of the format
 * @throws SyntaxProblem with line and column
 */
export function readJson(source: string, options: { hasComments: boolean }): JsonNode {
  const reading: Reading = { source, hasComments: options.hasComments, at: source.startsWith('\ufeff') ? 1 : 0 }
  const node = readValue(reading, 0)
  skip(reading)
  if (reading.at < source.length) fail(reading, 'something follows after the end of the value')
  return node
}

/** One past the comments and spaces that stand behind `from` on the same line; `from` when there is no comment. */
export function endOfLineComment(source: string, from: number): number {
  let end = from
  let at = from
  for (;;) {
    while (source[at] === ' ' || source[at] === '\t') at += 1
    comment.lastIndex = at
    const found = comment.exec(source)?.[0]
    if (found === undefined || found.includes('\n')) return end
    at += found.length
    end = at
    if (found.startsWith('//')) return end
  }
}
