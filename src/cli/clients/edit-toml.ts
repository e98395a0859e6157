import { parse, TomlError } from 'smol-toml'
import type { Editor, Path } from './editor.ts'
import { readStatements, type Statement } from './toml-statements.ts'
import { isTable, SyntaxProblem, type PlainValue } from './syntax-problem.ts'

/** Tables of others are not rewritten: only what lies at least this deep, which is an entry or a part of one. */
const entryDepth = 2

function read(source: string): PlainValue {
  try {
    return parse(source, { integersAsBigInt: 'asNeeded' }) as PlainValue
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const lines = source.split('\n').slice(0, error.line - 1)
    const at = lines.reduce((sum, line) => sum + line.length + 1, error.column - 1)
    const says = error.message.split('\n', 1)[0] ?? ''
    throw new SyntaxProblem(says.replace(/^Invalid TOML document: /, ''), source, at)
  }
}

function writeKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key)
}

function writeValue(value: PlainValue): string {
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('\u007f', '\\u007F')
  if (Array.isArray(value)) return `[${value.map(writeValue).join(', ')}]`
  if (isTable(value))
    return `{ ${Object.entries(value)
      .map(([key, each]) => `${writeKey(key)} = ${writeValue(each)}`)
      .join(', ')} }`
  return value instanceof Date ? value.toISOString() : `${value as number | bigint | boolean}`
}

function lineEndOf(source: string): string {
  return source.includes('\r\n') ? '\r\n' : '\n'
}

function startsWith(path: Path, prefix: Path): boolean {
  return prefix.every((step, index) => path[index] === step)
}

function isAt(statement: Statement, path: Path): boolean {
  return statement.path.length === path.length && startsWith(statement.path, path)
}

/** The table as its own lines at the end of the file. */
function appendTable(source: string, path: Path, table: Readonly<Record<string, PlainValue>>): string {
  const lineEnd = lineEndOf(source)
  const gap = source === '' ? '' : source.endsWith('\n') ? lineEnd : lineEnd + lineEnd
  const lines = Object.entries(table).map(([key, value]) => `${writeKey(key)} = ${writeValue(value)}`)
  const header = `[${path.map((step) => writeKey(String(step))).join('.')}]`
  return `${source}${gap}${[header, ...lines].join(lineEnd)}${lineEnd}`
}

/** Without the lines of a table and of the tables below it; comments that follow them stay. */
function withoutTables(source: string, statements: readonly Statement[], path: Path): string {
  const owned = statements.filter((statement) => startsWith(statement.path, path))
  return owned.toReversed().reduce((text, { start, end }) => {
    const lineEnd = text.indexOf('\n', end)
    return text.slice(0, start) + (lineEnd === -1 ? '' : text.slice(lineEnd + 1))
  }, source)
}

function valueAt(value: PlainValue, path: Path): PlainValue | undefined {
  return path.reduce<PlainValue | undefined>((at, step) => (isTable(at) ? at[String(step)] : undefined), value)
}

function withMember(value: PlainValue | undefined, path: Path, member: PlainValue): PlainValue {
  const [step, ...rest] = path
  if (step === undefined) return member
  const table = isTable(value) ? value : {}
  return { ...table, [String(step)]: withMember(table[String(step)], rest, member) }
}

/** Changes the part of an entry that stands in an inline table. */
function setInline(source: string, statement: Statement, path: Path, value: PlainValue): string {
  if (statement.path.length < entryDepth) {
    throw new SyntaxProblem('this is written as an inline table, which is not changed', source, statement.start)
  }
  const whole = withMember(valueAt(read(source), statement.path), path.slice(statement.path.length), value)
  return source.slice(0, statement.valueStart) + writeValue(whole) + source.slice(statement.end)
}

function set(source: string, path: Path, value: PlainValue): string {
  const statements = readStatements(source)
  const holder = statements.find((statement) => statement.kind === 'pair' && startsWith(path, statement.path))
  if (holder !== undefined) return setInline(source, holder, path, value)
  const parentPath = path.slice(0, -1)
  const table = statements.findIndex((statement) => statement.kind === 'table' && isAt(statement, parentPath))
  if (table !== -1 && !isTable(value)) {
    const next = statements.findIndex((statement, index) => index > table && statement.kind !== 'pair')
    const last = statements[(next === -1 ? statements.length : next) - 1]
    const lineEnd = source.indexOf('\n', last?.end ?? 0)
    const at = lineEnd === -1 ? source.length : lineEnd + 1
    const gap = lineEnd === -1 ? lineEndOf(source) : ''
    const line = `${writeKey(String(path.at(-1)))} = ${writeValue(value)}${lineEndOf(source)}`
    return source.slice(0, at) + gap + line + source.slice(at)
  }
  if (isTable(value) && parentPath.length > 0) return appendTable(withoutTables(source, statements, path), path, value)
  const parent = valueAt(read(source), parentPath)
  if (isTable(value) && isTable(parent)) return appendTable(source, path, value)
  return set(source, parentPath, { ...(isTable(parent) ? parent : {}), [String(path.at(-1))]: value })
}

/** Edits TOML in place: only lines of the entry itself are written. */
export const tomlEditor: Editor = {
  empty: '',
  parse: read,
  set,
  append(source) {
    throw new SyntaxProblem('lists of tables are not changed', source, 0)
  },
}
