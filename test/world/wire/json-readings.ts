import { DatabaseSync } from 'node:sqlite'
import { parse as parseYaml } from 'yaml'
import { readSlowly } from './json-texts.ts'

/** A JSON value in one form for all readers: members sorted by key, kept when they appear twice. */
export type Reading =
  | string
  | number
  | boolean
  | null
  | readonly Reading[]
  | { readonly members: readonly [string, Reading][] }

function sorted(members: readonly [string, Reading][]): Reading {
  const text = (member: [string, Reading]): string => JSON.stringify(member)
  return { members: members.toSorted((one, other) => (text(one) < text(other) ? -1 : 1)) }
}

function numberOf(value: number): number {
  return value === 0 ? 0 : value
}

function fromScript(value: unknown): Reading {
  if (typeof value === 'number') return numberOf(value)
  if (typeof value !== 'object' || value === null) return value as string | boolean | null
  if (Array.isArray(value)) return value.map(fromScript)
  return sorted(Object.entries(value).map(([key, member]) => [key, fromScript(member)]))
}

function fromSlow(value: unknown): Reading {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(fromSlow)
  const { number, literal, members } = value as { number?: string; literal?: string; members?: [string, unknown][] }
  if (literal !== undefined) return JSON.parse(literal) as boolean | null
  if (number !== undefined) return numberOf(Number(number))
  return sorted((members ?? []).map(([key, member]) => [key, fromSlow(member)]))
}

interface Row {
  readonly id: number
  readonly parent: number | null
  readonly key: string | number | null
  readonly type: string
  readonly atom: string | number | null
}

const database = new DatabaseSync(':memory:')
const tree = database.prepare('select id, parent, key, type, atom from json_tree(?)')

/** As SQLite reads it, in C and with members that appear twice. */
function fromDatabase(text: string): Reading {
  const rows = tree.all(text) as unknown as Row[]
  const below = Map.groupBy(rows, ({ parent }) => parent)
  const build = ({ id, type, atom }: Row): Reading => {
    const children = below.get(id) ?? []
    if (type === 'object') return sorted(children.map((child) => [String(child.key), build(child)]))
    if (type === 'array') return children.map(build)
    if (type === 'true' || type === 'false') return type === 'true'
    return typeof atom === 'number' ? numberOf(atom) : atom
  }
  return build(rows[0] as Row)
}

/** What readers that share no code find in a text. */
export function readingsOf(text: string): Readonly<Record<string, Reading>> {
  return {
    script: fromScript(JSON.parse(text)),
    slowly: fromSlow(readSlowly(text).value),
    database: fromDatabase(text),
    yaml: fromScript(parseYaml(text, { schema: 'json', uniqueKeys: true, maxAliasCount: 0 })),
  }
}
