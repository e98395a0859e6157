/**
 * What was a snapshot made from?
 * Stops: a snapshot that cannot be returned to; a part of a document that this program does not know and would leave out.
 * Trusts: the hash of the snapshot, which covers the document.
 * Fails: a document of another form is a Fault `policy.unavailable`, never read in part.
 */
import { Fault } from '#kernel'
import type { PolicyFile } from '../cedar/source.ts'
import { type Grant, plainGrant, type Role } from '../roles/role.ts'

/**
 * Which text this program makes of a document: to be raised with every change of what `compilePolicy` writes for a source
 * that was valid before. A snapshot of another number is compiled again at the next start; one of this number has to have
 * exactly the text that this program writes.
 */
export const compilerForm = 2

/** Where a snapshot came from. */
export type CameFrom =
  | { readonly kind: 'seeded' }
  /** One role was put or removed. */
  | { readonly kind: 'role'; readonly role: string }
  | { readonly kind: 'folder'; readonly draft?: string }
  /** An older snapshot was returned to. */
  | { readonly kind: 'snapshot'; readonly version: number; readonly draft?: string }
  /** The same, compiled by another version of the program. */
  | { readonly kind: 'recompiled'; readonly version: number }

export type DocumentRole = Pick<Role, 'name' | 'description' | 'owner' | 'grants' | 'isShipped'>

/** Everything that is changed together. Each list is in the order of names. */
export interface PolicyContents {
  readonly roles: readonly DocumentRole[]
  readonly files: readonly PolicyFile[]
  /** YAML texts with cases that have to come out as they say. */
  readonly tests: readonly PolicyFile[]
}

export interface SnapshotDocument extends PolicyContents {
  readonly form: 1
  /** See `compilerForm`; left out for that of this program. */
  readonly compiler?: number
  /** Ids of persons; null of Castellan itself. */
  readonly author: string | null
  readonly publisher: string | null
  readonly note: string
  readonly cameFrom: CameFrom
}

function byName<Named extends { readonly name: string }>(items: readonly Named[]): Named[] {
  return items.toSorted((one, other) => (one.name < other.name ? -1 : 1))
}

/** The same contents in their one order, with nothing but what belongs to them. */
export function plainContents({ roles, files, tests }: PolicyContents): PolicyContents {
  const plainFile = ({ name, text }: PolicyFile) => ({ name, text })
  return {
    roles: byName(roles).map(({ name, description, owner, grants, isShipped }) => ({
      name,
      description,
      ...(owner !== undefined && { owner }),
      grants: grants.map(plainGrant),
      isShipped,
    })),
    files: byName(files).map(plainFile),
    tests: byName(tests).map(plainFile),
  }
}

/** The text that is kept and hashed. */
export function writeDocument(document: SnapshotDocument): string {
  const { author, publisher, note, cameFrom } = document
  return JSON.stringify({
    form: 1,
    compiler: compilerForm,
    ...plainContents(document),
    author,
    publisher,
    note,
    cameFrom,
  })
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

/** One grant as it is kept. @throws Error where it holds anything that a grant has not */
export function readGrant(value: unknown): Grant {
  const grant = value as Partial<Grant> | null
  const isList = (list: unknown) => Array.isArray(list) && list.every(isText)
  if (typeof grant !== 'object' || !isList(grant?.permissions) || !isList(grant?.resources)) throw new Error('no grant')
  const plain = plainGrant(grant as Grant)
  // INVARIANT: a part that is not known here could be what narrows the grant.
  if (JSON.stringify(plain) !== JSON.stringify({ ...plain, ...grant })) throw new Error('not a plain grant')
  return plain
}

function readRole(value: unknown): DocumentRole {
  const { name, description, owner, grants, isShipped, ...more } = value as Partial<Role>
  const isRole = isText(name) && isText(description) && Array.isArray(grants) && typeof isShipped === 'boolean'
  const isOwned = owner === undefined || isText(owner)
  if (!isRole || !isOwned || Object.keys(more).length > 0) throw new Error('not a role')
  return { name, description, ...(owner !== undefined && { owner }), grants: grants.map(readGrant), isShipped }
}

function readFile(value: unknown): PolicyFile {
  const { name, text, ...more } = value as Partial<PolicyFile>
  if (!isText(name) || !isText(text) || Object.keys(more).length > 0) throw new Error('not a file')
  return { name, text }
}

/** Contents as they are kept with a draft or, among more, with a snapshot. @throws Error */
function readContents({ roles, files, tests }: Record<string, unknown>): PolicyContents {
  if (!Array.isArray(roles) || !Array.isArray(files) || !Array.isArray(tests)) throw new Error('a list is missing')
  return { roles: roles.map(readRole), files: files.map(readFile), tests: tests.map(readFile) }
}

function guarded<Read>(text: string, read: (parsed: Record<string, unknown>) => Read): Read {
  try {
    return read(JSON.parse(text) as Record<string, unknown>)
  } catch (cause) {
    throw new Fault('policy.unavailable', 'what a policy was made from cannot be read', { cause })
  }
}

/** @throws Fault `policy.unavailable` */
export function readDocument(text: string): SnapshotDocument {
  return guarded(text, ({ form, compiler, author, publisher, note, cameFrom, roles, files, tests, ...more }) => {
    if (form !== 1 || typeof compiler !== 'number' || !isText(note) || Object.keys(more).length > 0)
      throw new Error('another form')
    const person = (value: unknown) => (isText(value) ? value : null)
    return {
      form,
      compiler,
      ...readContents({ roles, files, tests }),
      author: person(author),
      publisher: person(publisher),
      note,
      cameFrom: cameFrom as CameFrom,
    }
  })
}

/** Contents alone, as a draft keeps them. @throws Fault `policy.unavailable` */
export function readContentsText(text: string): PolicyContents {
  return guarded(text, readContents)
}

/** Do the roles of a document say what these rows say? Since when they do is no part of it. */
export function isSameRoles(one: readonly DocumentRole[], other: readonly DocumentRole[]): boolean {
  const plain = (roles: readonly DocumentRole[]) => JSON.stringify(plainContents({ roles, files: [], tests: [] }).roles)
  return plain(one) === plain(other)
}
