import { isDeepStrictEqual } from 'node:util'
import type { Format } from './client.ts'
import type { Editor, Path } from './editor.ts'
import { isTable, SyntaxProblem, type PlainValue } from './syntax-problem.ts'

/** What a file has to hold afterwards. */
export interface Wish {
  /** To what holds entries by name. */
  readonly path: readonly string[]
  readonly name: string
  /** The entries are items of a list, and this member of theirs is the name. */
  readonly listedBy?: string | undefined
  readonly value: Readonly<Record<string, PlainValue>>
  /** Members that are written where the entry has none of their name. */
  readonly defaults?: Readonly<Record<string, PlainValue>>
}

async function editorOf(format: Format): Promise<Editor> {
  switch (format) {
    case 'yaml':
      return (await import('./edit-yaml.ts')).yamlEditor
    case 'toml':
      return (await import('./edit-toml.ts')).tomlEditor
    default:
      return (await import('./edit-json.ts')).jsonEditor(format === 'jsonc')
  }
}

/** Members of which an entry has those of one way to reach a server only. */
const ways = [
  ['url', 'uri', 'httpUrl', 'serverUrl', 'headers', 'http_headers', 'requestOptions', 'bearer_token_env_var'],
  ['command', 'cmd', 'args', 'env', 'envs', 'environment', 'cwd'],
]

/** Whether an entry that is there reaches its server in another way, so that nothing of it can be kept. */
function isOtherWay(existing: object, value: object): boolean {
  return ways.some((own, index) => {
    const other = ways[1 - index] ?? []
    return own.some((member) => member in value) && other.some((member) => member in existing && !(member in value))
  })
}

function valueAt(value: PlainValue, path: Path): PlainValue | undefined {
  return path.reduce<PlainValue | undefined>((at, step) => {
    if (Array.isArray(at)) return (at as readonly PlainValue[])[Number(step)]
    return isTable(at) && Object.hasOwn(at, String(step)) ? at[String(step)] : undefined
  }, value)
}

function withValue(whole: PlainValue | undefined, path: Path, value: PlainValue): PlainValue {
  const [step, ...rest] = path
  if (step === undefined) return value
  if (Array.isArray(whole))
    return whole.map((each: PlainValue, index) => (index === step ? withValue(each, rest, value) : each))
  const table = isTable(whole) ? whole : {}
  return Object.fromEntries([
    ...Object.entries(table).filter(([key]) => key !== String(step)),
    [String(step), withValue(Object.hasOwn(table, String(step)) ? table[String(step)] : undefined, rest, value)],
  ])
}

/** The same value without prototypes, dates and big integers, so that two readings can be compared. */
function plain(value: PlainValue | undefined): unknown {
  if (value instanceof Date) return `date ${value.toISOString()}`
  if (typeof value === 'bigint') return `integer ${value}`
  if (Array.isArray(value)) return value.map(plain)
  if (!isTable(value)) return value
  return new Map(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, each]) => [key, plain(each)]),
  )
}

/** A text and what it means, changed together. */
interface Draft {
  readonly text: string
  readonly value: PlainValue
}

function put(editor: Editor, draft: Draft, path: Path, value: PlainValue, isEntry = true): Draft {
  const existing = valueAt(draft.value, path)
  if (existing !== undefined && isDeepStrictEqual(plain(existing), plain(value))) return draft
  if (isTable(existing) && isTable(value) && !(isEntry && isOtherWay(existing, value))) {
    return Object.entries(value).reduce(
      (each, [key, member]) => put(editor, each, [...path, key], member, false),
      draft,
    )
  }
  return { text: editor.set(draft.text, path, value), value: withValue(draft.value, path, value) }
}

/** The entry as it has to be: what its person decided about the defaults stays. */
function entryOf(
  { value, defaults = {} }: Wish,
  existing: PlainValue | undefined,
): Readonly<Record<string, PlainValue>> {
  const kept = isTable(existing) ? existing : {}
  const chosen = Object.entries(defaults).map(([key, otherwise]) => [
    key,
    Object.hasOwn(kept, key) ? kept[key] : otherwise,
  ])
  return { ...value, ...(Object.fromEntries(chosen) as Readonly<Record<string, PlainValue>>) }
}

function grant(editor: Editor, draft: Draft, wish: Wish): Draft {
  const { path, name, listedBy } = wish
  if (listedBy === undefined) {
    const at = [...path, name]
    return put(editor, draft, at, entryOf(wish, valueAt(draft.value, at)))
  }
  const list = valueAt(draft.value, path)
  const items = Array.isArray(list) ? (list as readonly PlainValue[]) : []
  const at = items.findIndex((each) => isTable(each) && each[listedBy] === name)
  const item = { [listedBy]: name, ...entryOf(wish, items[at]) }
  if (!Array.isArray(list)) return put(editor, draft, path, [item])
  if (at !== -1) return put(editor, draft, [...path, at], item)
  return { text: editor.append(draft.text, path, item), value: withValue(draft.value, path, [...items, item]) }
}

/**
 * The file's text with the wishes granted and every other character as it was. What the result means is compared with
 * what it has to mean, so a text that could not be edited well is refused instead.
 * @param source undefined for a file that is not there
 * @throws SyntaxProblem with line and column
 */
export async function editText(
  source: string | undefined,
  {
    format,
    wishes,
    frame,
  }: { format: Format; wishes: readonly Wish[]; frame?: Readonly<Record<string, string>> | undefined },
): Promise<string> {
  const editor = await editorOf(format)
  const isBlank = source === undefined || source.replace('\ufeff', '').trim() === ''
  const text = isBlank ? editor.empty : source
  const before: Draft = { text, value: editor.parse(text) }
  if (!isTable(before.value)) throw new SyntaxProblem('the file holds something else than settings', text, 0)
  const framed = Object.entries(isBlank ? (frame ?? {}) : {}).reduce(
    (draft, [key, value]) => put(editor, draft, [key], value),
    before,
  )
  const after = wishes.reduce((draft, wish) => grant(editor, draft, wish), framed)
  if (!isDeepStrictEqual(plain(editor.parse(after.text)), plain(after.value))) {
    throw new SyntaxProblem('the entry cannot be added without changing something else', text, 0)
  }
  return after.text
}

/** What a file means. @throws SyntaxProblem */
export async function parseText(source: string, format: Format): Promise<PlainValue> {
  return (await editorOf(format)).parse(source)
}

/** Names of what differs between two readings of a file, by path; values are not part of it. */
export function differingNames(
  one: PlainValue | undefined,
  other: PlainValue | undefined,
  path: readonly string[] = [],
): string[] {
  if (isDeepStrictEqual(plain(one), plain(other))) return []
  const here = path.join('.')
  if (!isTable(one) || !isTable(other)) return [here === '' ? 'everything' : here]
  const keys = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...keys].flatMap((key) => differingNames(one[key], other[key], [...path, key]))
}
