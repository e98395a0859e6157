/**
 * What differs between two states of the policy, and can a change be made on top of another?
 * Stops: a change that silently undoes what somebody else published meanwhile.
 * Trusts: both contents to be read from where they were verified.
 * Fails: where both changed the same role, file or test, there is no joining them.
 */
import { plainGrant } from '../roles/role.ts'
import type { DocumentRole, PolicyContents } from '../snapshot/document.ts'

export interface ChangedItem {
  readonly kind: 'role' | 'file' | 'test'
  readonly name: string
  readonly change: 'added' | 'changed' | 'removed'
  /** As text: a role as indented JSON, the others as they are. */
  readonly before: string | undefined
  readonly after: string | undefined
}

type Items = ReadonlyMap<string, { kind: ChangedItem['kind']; name: string; text: string }>

/** A role as people are shown it. */
function roleText({ description, owner, grants }: DocumentRole): string {
  return `${JSON.stringify({ description, ...(owner !== undefined && { owner }), grants: grants.map(plainGrant) }, undefined, 2)}\n`
}

function itemsOf({ roles, files, tests }: PolicyContents): Items {
  const items = [
    ...roles.map((role) => ({ kind: 'role' as const, name: role.name, text: roleText(role) })),
    ...files.map(({ name, text }) => ({ kind: 'file' as const, name, text })),
    ...tests.map(({ name, text }) => ({ kind: 'test' as const, name, text })),
  ]
  return new Map(items.map((item) => [`${item.kind}/${item.name}`, item]))
}

/** In the order of roles, files, tests, each by name; empty where nothing differs. */
export function diffContents(before: PolicyContents, after: PolicyContents): ChangedItem[] {
  const [old, young] = [itemsOf(before), itemsOf(after)]
  const found: ChangedItem[] = []
  for (const key of new Set([...old.keys(), ...young.keys()])) {
    const [was, is] = [old.get(key), young.get(key)]
    const any = is ?? was
    if (any === undefined || was?.text === is?.text) continue
    const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed'
    found.push({ kind: any.kind, name: any.name, change, before: was?.text, after: is?.text })
  }
  const order = { role: 0, file: 1, test: 2 }
  return found.toSorted((one, other) => order[one.kind] - order[other.kind] || (one.name < other.name ? -1 : 1))
}

function keyOf({ kind, name }: ChangedItem): string {
  return `${kind}/${name}`
}

function replace<Named extends { readonly name: string }>(
  current: readonly Named[],
  wanted: readonly Named[],
  touched: ReadonlySet<string>,
): Named[] {
  return [...current.filter(({ name }) => !touched.has(name)), ...wanted.filter(({ name }) => touched.has(name))]
}

/**
 * The change from `base` to `wanted`, made to `current`.
 * @returns the names of what both changed, where they differ in it
 */
export function rebase(states: {
  readonly base: PolicyContents
  readonly wanted: PolicyContents
  readonly current: PolicyContents
}): { readonly contents: PolicyContents } | { readonly conflicts: readonly string[] } {
  const { base, wanted, current } = states
  const own = diffContents(base, wanted)
  const others = new Map(diffContents(base, current).map((item) => [keyOf(item), item]))
  const conflicts = own.filter((item) => others.has(keyOf(item)))
  // WHY: rules bear on each other whatever file they stand in, so two changes of rules are not joined unseen.
  const meets = own.some(({ kind }) => kind === 'file') && [...others.values()].some(({ kind }) => kind === 'file')
  if (conflicts.length > 0 || meets) {
    const names =
      conflicts.length > 0 ? conflicts.map(keyOf) : [...others.keys()].filter((key) => key.startsWith('file/'))
    return { conflicts: names }
  }
  const touched = (kind: ChangedItem['kind']) => new Set(own.filter((one) => one.kind === kind).map(({ name }) => name))
  return {
    contents: {
      roles: replace(current.roles, wanted.roles, touched('role')),
      files: replace(current.files, wanted.files, touched('file')),
      tests: replace(current.tests, wanted.tests, touched('test')),
    },
  }
}
