import {
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  stringify,
  type Document,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml'
import type { Editor, Path } from './editor.ts'
import { SyntaxProblem, type PlainValue } from './syntax-problem.ts'

const maxAliases = 100
const twoSpaces = 2

function read(source: string): Document {
  const document = parseDocument(source, { prettyErrors: false, logLevel: 'error' })
  const [error] = document.errors
  if (error !== undefined) throw new SyntaxProblem(error.message.split('\n', 1)[0] ?? 'no YAML', source, error.pos[0])
  return document
}

function pairOf(map: YAMLMap, key: string | number): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key))
}

function childOf(node: unknown, step: string | number): unknown {
  if (isMap(node)) return pairOf(node, step)?.value
  return isSeq(node) && typeof step === 'number' ? node.items[step] : undefined
}

function find(document: Document, path: Path): unknown {
  return path.reduce<unknown>(childOf, document.contents)
}

function startOf(node: unknown): number {
  return (node as Node | undefined)?.range?.[0] ?? 0
}

/** Where what belongs to a key or item ends: its last character that is not white space. */
function endOf(source: string, start: number, node: unknown): number {
  const end = (node as Node | null | undefined)?.range?.[1] ?? start
  return start + source.slice(start, Math.max(start, end)).trimEnd().length
}

function lineStartOf(source: string, at: number): number {
  return source.lastIndexOf('\n', at - 1) + 1
}

function lineEndOf(source: string, at: number): number {
  const end = source.indexOf('\n', at)
  if (end === -1) return source.length
  return source[end - 1] === '\r' ? end - 1 : end
}

/** A value as block lines, each behind `column` spaces; the first one without them. */
function block(source: string, value: unknown, column: number): string {
  const lines = stringify(value, { lineWidth: 0, indent: twoSpaces }).trimEnd().split('\n')
  const lineEnd = source.includes('\r\n') ? '\r\n' : '\n'
  return lines.join(lineEnd + ' '.repeat(column))
}

function insertLine(source: string, at: number, column: number, text: string): string {
  const lineEnd = source.includes('\r\n') ? '\r\n' : '\n'
  const to = lineEndOf(source, at)
  return `${source.slice(0, to)}${lineEnd}${' '.repeat(column)}${text}${source.slice(to)}`
}

/** Adds to what is written on one line in brackets; JSON is YAML there. */
function insertInBrackets(source: string, node: Node, text: string): string {
  const at = source.lastIndexOf(isMap(node) ? '}' : ']', (node.range?.[1] ?? 1) - 1)
  const before = source.slice(0, at).trimEnd()
  return `${before}${before.endsWith(',') ? ' ' : ', '}${text}${source.slice(before.length)}`
}

function replacePair(source: string, pair: Pair, value: PlainValue): string {
  const [start, key] = [startOf(pair.key), (pair.key as { value: unknown }).value]
  const existing = pair.value as (Node & { flow?: boolean }) | null
  const isPlain = typeof value !== 'object' || value === null
  if (isScalar(existing) && existing.value !== null && isPlain) {
    const [from, to] = existing.range ?? [start, start]
    return source.slice(0, from) + stringify(value, { lineWidth: 0 }).trimEnd() + source.slice(to)
  }
  const keyEnd = (pair.key as Node).range?.[1] ?? start
  const end =
    existing === null
      ? source.indexOf(':', keyEnd) + 1
      : Math.max(endOf(source, start, existing), source.indexOf(':', keyEnd) + 1)
  const text = block(source, { [String(key)]: value }, start - lineStartOf(source, start))
  return source.slice(0, start) + text + source.slice(end)
}

function addMember(source: string, map: YAMLMap, key: string, value: PlainValue): string {
  if (map.flow === true) return insertInBrackets(source, map, `${JSON.stringify(key)}: ${JSON.stringify(value)}`)
  const [first, last] = [map.items[0], map.items.at(-1)]
  const firstStart = startOf(first?.key)
  const column = firstStart - lineStartOf(source, firstStart)
  const at = endOf(source, startOf(last?.key), last?.value ?? last?.key)
  return insertLine(source, at, column, block(source, { [key]: value }, column))
}

function isBare(node: unknown): boolean {
  if (node === undefined || node === null) return true
  if (isScalar(node)) return node.value === null
  return (isMap(node) || isSeq(node)) && node.items.length === 0
}

function set(source: string, path: Path, value: PlainValue): string {
  const document = read(source)
  if (path.length === 0) {
    const [start, end] = document.contents?.range ?? [0, 0]
    if (end > start) return source.slice(0, start) + block(source, value, 0) + source.slice(end)
    const lineEnd = source === '' || source.endsWith('\n') ? '' : '\n'
    return `${source}${lineEnd}${block(source, value, 0)}\n`
  }
  const [last = '', parentPath] = [path.at(-1), path.slice(0, -1)]
  const parent = find(document, parentPath)
  if (isBare(parent)) return set(source, parentPath, { [String(last)]: value })
  if (!isMap(parent)) throw new SyntaxProblem('a mapping is needed here', source, startOf(parent))
  const pair = pairOf(parent, last)
  if (pair === undefined) return addMember(source, parent, String(last), value)
  if (parent.flow === true)
    throw new SyntaxProblem('this is written in brackets, which is not changed', source, startOf(pair.key))
  return replacePair(source, pair, value)
}

/** Edits YAML in place: lines that are not ours stay as they were. */
export const yamlEditor: Editor = {
  empty: '',
  parse(source) {
    const document = read(source)
    try {
      return (document.toJS({ maxAliasCount: maxAliases }) ?? {}) as PlainValue
    } catch (error) {
      throw new SyntaxProblem(error instanceof Error ? error.message : 'an alias leads nowhere', source, 0)
    }
  },
  set,
  append(source, path, value) {
    const list = find(read(source), path)
    if (isBare(list)) return set(source, path, [value])
    if (!isSeq(list)) throw new SyntaxProblem('a list is needed here', source, startOf(list))
    if (list.flow === true) return insertInBrackets(source, list, JSON.stringify(value))
    const [first, last] = [startOf(list.items[0]), list.items.at(-1)]
    const column = source.indexOf('-', lineStartOf(source, first)) - lineStartOf(source, first)
    return insertLine(source, endOf(source, startOf(last), last), column, block(source, [value], column))
  },
}
