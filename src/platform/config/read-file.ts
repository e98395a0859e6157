import { statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { Misuse } from '#kernel'
import { type ReadText, readText } from '#platform/files'
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type ParsedNode, type Scalar, type YAMLMap } from 'yaml'
import { describeConfig } from './describe-config.ts'
import { nearest } from './nearest.ts'

const maxFileBytes = 1024 * 1024

/** Both begin at 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** A value from the file and where it stands. */
export interface FileValue extends Place {
  readonly value: unknown
  /** Where each entry of a list stands. */
  readonly places?: readonly Place[]
}

export interface ConfigFile {
  readonly path: string
  /** By dotted key. */
  readonly values: ReadonlyMap<string, FileValue>
  /** As it was read; may hold secrets. */
  readonly text: string
  /** Every account of this machine can read it. */
  readonly isExposed: boolean
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
  if (path === undefined) return undefined
  const { text, isExposed } = read(path)
  return { path, values: parse(path, text), text, isExposed }
}

function read(path: string): ReadText {
  try {
    return readText(path, maxFileBytes)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Misuse(
      'config.unreadable',
      `\`${path}\` cannot be read: ${reason}`,
      'check the path and its permissions',
      { cause: error },
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
  const control = text.search(forbidden)
  if (control !== -1) throw fail('config.syntax', control, 'a control character', 'write the file again')
  const [problem] = [...document.errors, ...document.warnings]
  if (problem) {
    throw fail(
      'config.syntax',
      problem.pos[0],
      withoutSource(problem.message),
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
      else if (isList(dotted, 'sections')) {
        const sections = sectionsOf(value)
        if (sections === undefined)
          throw fail('config.value', start, `\`${dotted}\` takes a list of sections`, listHint)
        const places = sections.map((section) => at(section.range[0]))
        const written = sections.map((section): unknown => section.toJS(document))
        values.set(dotted, { value: written, places, ...at(value?.range[0] ?? start) })
      } else if (isList(dotted, 'list')) {
        const list = entriesOf(value)
        if (list === undefined) throw fail('config.value', start, `\`${dotted}\` takes a list`, listHint)
        values.set(dotted, {
          value: list.map((entry) => entry.value),
          places: list.map((entry) => at(entry.range[0])),
          ...at(value?.range[0] ?? start),
        })
      } else if (value === null || !isScalar(value))
        throw fail('config.value', start, `\`${dotted}\` takes one value`, valueHint)
      else values.set(dotted, { value: value.value, ...at(value.range[0]) })
    }
  }
  visit(document.contents, '')
  return values
}

/** SPEC: YAML 1.2.2, section 5.1. A file that was not written to its end may have zeros there. */
const forbidden = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/

const sectionHint = 'write its keys below it, each on a line of its own and indented'
const valueHint = 'write the value behind the colon'
const listHint = 'write its entries below it, each on a line of its own behind a dash'

function isList(dotted: string, type: 'list' | 'sections'): boolean {
  return describeConfig().some((entry) => entry.key === dotted && entry.type === type)
}

function sectionsOf(node: ParsedNode | null): YAMLMap.Parsed[] | undefined {
  if (node === null || !isSeq(node)) return undefined
  const sections = node.items.filter((entry) => isMap(entry))
  return sections.length === node.items.length ? sections : undefined
}

function entriesOf(node: ParsedNode | null): Scalar.Parsed[] | undefined {
  if (node === null || !isSeq(node)) return undefined
  const entries = node.items.filter((entry) => isScalar(entry))
  return entries.length === node.items.length ? entries : undefined
}

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
  const keys = describeConfig().map((entry) => entry.key)
  const sections = keys.flatMap((key) => (key.includes('.') ? [key.split('.')[0] ?? ''] : []))
  const guess = nearest(dotted, [...keys, ...sections]) ?? inAnotherSection(dotted, keys)
  return guess === undefined ? '`castellan config schema` lists every key' : `did you mean \`${guess}\`?`
}

function inAnotherSection(dotted: string, keys: readonly string[]): string | undefined {
  const lastOf = (key: string) => (key.split('.').at(-1) ?? '').toLowerCase()
  return keys.find((key) => lastOf(key) === lastOf(dotted))
}

/** What is wrong, without what is written there: it may be part of a secret. */
function withoutSource(message: string): string {
  const [line = ''] = message.split('\n')
  const says = line.replace(/: .*$|(?<=escape sequence) .*$/, '')
  return says.charAt(0).toLowerCase() + says.slice(1)
}
