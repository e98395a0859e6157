/** One table header or one `key = value` of a TOML text that was parsed before. */
export interface Statement {
  readonly kind: 'table' | 'list table' | 'pair'
  /** From the root on, the keys of the table it stands in included. */
  readonly path: readonly string[]
  readonly start: number
  /** Of a pair. */
  readonly valueStart: number
  /** One past its last character; a comment behind it is not part of it. */
  readonly end: number
}

const blank = /(?:\s|#[^\n]*)*/y
const bareKey = /[\w-]+/y
const basicText = /"(?:[^"\\\n]|\\.)*"/y
const literalText = /'[^'\n]*'/y
const longBasicText = /"""(?:[^\\]|\\[^])*?"{3,5}(?!")/y
const longLiteralText = /'''[^]*?'{3,5}(?!')/y
const lineSpace = /[ \t]*/y
const lineComment = /#[^\n]*/y

interface Reading {
  readonly source: string
  at: number
}

function take(reading: Reading, pattern: RegExp): string | undefined {
  pattern.lastIndex = reading.at
  const found = pattern.exec(reading.source)?.[0]
  if (found !== undefined) reading.at += found.length
  return found
}

function unescapeWide(_whole: string, digits: string): string {
  return String.fromCodePoint(Number.parseInt(digits, 16))
}

function readKey(reading: Reading): string {
  const bare = take(reading, bareKey)
  if (bare !== undefined) return bare
  const basic = take(reading, basicText)
  if (basic !== undefined) return JSON.parse(basic.replaceAll(/\\U(\w{8})/g, unescapeWide)) as string
  return take(reading, literalText)?.slice(1, -1) ?? ''
}

function readKeys(reading: Reading): string[] {
  const keys: string[] = []
  do {
    if (keys.length > 0) reading.at += 1
    take(reading, lineSpace)
    keys.push(readKey(reading))
    take(reading, lineSpace)
  } while (reading.source[reading.at] === '.')
  return keys
}

function takeText(reading: Reading): boolean {
  return [longBasicText, longLiteralText, basicText, literalText].some((each) => take(reading, each) !== undefined)
}

/** Reads to the end of a value: to a line's end, or to a comment, outside of brackets and texts. */
function skipValue(reading: Reading): void {
  const { source } = reading
  let depth = 0
  while (reading.at < source.length) {
    if (takeText(reading)) continue
    const unit = source[reading.at]
    if (depth === 0 && (unit === '\n' || unit === '#')) return
    if (unit === '#') {
      take(reading, lineComment)
      continue
    }
    if (unit === '[' || unit === '{') depth += 1
    else if (unit === ']' || unit === '}') depth -= 1
    reading.at += 1
  }
}

function readPair(reading: Reading, table: readonly string[]): Statement {
  const start = reading.at
  const path = [...table, ...readKeys(reading)]
  reading.at += 1
  take(reading, lineSpace)
  const valueStart = reading.at
  skipValue(reading)
  const end = valueStart + reading.source.slice(valueStart, reading.at).trimEnd().length
  return { kind: 'pair', path, start, valueStart, end }
}

function readHeader(reading: Reading): Statement {
  const start = reading.at
  const isList = reading.source[start + 1] === '['
  reading.at += isList ? 2 : 1
  const path = readKeys(reading)
  reading.at += isList ? 2 : 1
  return { kind: isList ? 'list table' : 'table', path, start, valueStart: reading.at, end: reading.at }
}

/** Where each statement stands. @param source valid TOML */
export function readStatements(source: string): Statement[] {
  const statements: Statement[] = []
  const reading: Reading = { source, at: 0 }
  let table: readonly string[] = []
  for (take(reading, blank); reading.at < source.length; take(reading, blank)) {
    const statement = source[reading.at] === '[' ? readHeader(reading) : readPair(reading, table)
    if (statement.kind !== 'pair') table = statement.path
    statements.push(statement)
  }
  return statements
}
