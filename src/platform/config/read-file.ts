import { readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { Misuse } from '#kernel'
import { isMap, isScalar, LineCounter, parseDocument, type ParsedNode } from 'yaml'
import { describeConfig } from './describe-config.ts'
import { nearest } from './nearest.ts'

const maxFileBytes = 1024 * 1024

/** A value from the file and where it stands. */
export interface FileValue {
  readonly value: unknown
  readonly line: number
  readonly column: number
}

export interface ConfigFile {
  readonly path: string
  /** By dotted key. */
  readonly values: ReadonlyMap<string, FileValue>
}

/**
 * The file named by CASTELLAN_CONFIG, else the first of `./castellan.yaml`,
 * `$XDG_CONFIG_HOME/castellan/castellan.yaml` and `/etc/castellan/castellan.yaml` that is there.
 * @throws Misuse `config.unreadable`, `config.syntax`, `config.unknown-key`
 */
export function readConfigFile(places: {
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  home: string
}): ConfigFile | undefined {
  const named = places.env['CASTELLAN_CONFIG']
  const configHome = places.env['XDG_CONFIG_HOME'] ?? ''
  const path = named
    ? resolve(places.cwd, named)
    : [
        join(places.cwd, 'castellan.yaml'),
        join(isAbsolute(configHome) ? configHome : join(places.home, '.config'), 'castellan/castellan.yaml'),
        '/etc/castellan/castellan.yaml',
      ].find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile())
  return path === undefined ? undefined : { path, values: parse(path, read(path)) }
}

function read(path: string): string {
  try {
    const { size } = statSync(path)
    if (size > maxFileBytes) throw new Error(`larger than ${maxFileBytes} bytes`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Misuse(
      'config.unreadable',
      `\`${path}\` cannot be read: ${reason}`,
      'check the path and its permissions',
      {
        cause: error,
      },
    )
  }
}

function parse(path: string, text: string): Map<string, FileValue> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: false })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const fail = (code: string, offset: number, says: string, hint: string) => {
    const { line, column } = at(offset)
    return new Misuse(code, `${path}:${line}:${column}: ${says}`, hint)
  }
  const [problem] = document.errors
  if (problem) {
    throw fail(
      'config.syntax',
      problem.pos[0],
      firstLine(problem.message),
      'see https://yaml.org/spec/1.2.2/ for the syntax',
    )
  }
  const values = new Map<string, FileValue>()
  const visit = (node: ParsedNode | null, section: string): void => {
    if (node === null || (isScalar(node) && node.value === null)) return
    if (!isMap(node))
      throw fail('config.syntax', node.range[0], `${sectionName(section)} is not a section`, sectionHint)
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '?'
      const dotted = section === '' ? name : `${section}.${name}`
      const start = key?.range[0] ?? 0
      if (isSection(dotted)) visit(value, dotted)
      else if (!isKey(dotted))
        throw fail('config.unknown-key', start, `\`${dotted}\` is not a key`, unknownHint(dotted))
      else if (value === null || !isScalar(value))
        throw fail('config.value', start, `\`${dotted}\` takes one value`, valueHint)
      else values.set(dotted, { value: value.value, ...at(value.range[0]) })
    }
  }
  visit(document.contents, '')
  return values
}

const sectionHint = 'write its keys below it, each on a line of its own and indented'
const valueHint = 'write the value behind the colon'

function sectionName(section: string): string {
  return section === '' ? 'the file' : `\`${section}\``
}

function isKey(dotted: string): boolean {
  return describeConfig().some((entry) => entry.key === dotted)
}

function isSection(dotted: string): boolean {
  return describeConfig().some((entry) => entry.key.startsWith(`${dotted}.`))
}

function unknownHint(dotted: string): string {
  const guess = nearest(
    dotted,
    describeConfig().map((entry) => entry.key),
  )
  return guess === undefined ? '`castellan config schema` lists every key' : `did you mean \`${guess}\`?`
}

function firstLine(text: string): string {
  const [line = ''] = text.split('\n')
  return line.charAt(0).toLowerCase() + line.slice(1)
}
