/**
 * Which snapshot and roles does the database hold, and do they belong together?
 * Stops: a changed text, hash or role row; a snapshot and roles read from two different moments.
 * Trusts: the database to return what was committed, not that nobody edited it.
 * Fails: a mismatch is a Fault `policy.unavailable` that names what differs; nobody is allowed anything then.
 */
import { createHash } from 'node:crypto'
import type { Database } from '#platform/database'
import { Fault } from '#kernel'
import { compileAside } from '../cedar/aside/compile-aside.ts'
import type { CompiledPolicy } from '../cedar/source.ts'
import type { Grant, Role } from '../roles/role.ts'
import { compilerForm, isSameRoles, readDocument, readGrant, type SnapshotDocument } from './document.ts'

/** Rows are read through this: the database itself or one transaction. */
export type Rows = Database['query']

export interface Snapshot {
  /** Counts from 1 without gaps. */
  readonly version: number
  /** See `hashOf`. */
  readonly hash: string
  readonly cedar: string
}

/** A snapshot as it is kept. */
interface StoredSnapshot extends Snapshot {
  /** What it was made from; null of one that was made from the roles alone. */
  readonly document: string | null
}

export interface VerifiedPolicy {
  readonly snapshot: Snapshot
  readonly compiled: CompiledPolicy
  readonly roles: readonly Role[]
  readonly document: SnapshotDocument
  /** Whether a program wrote it that writes the same text of a document as this one. */
  readonly isOwnForm: boolean
}

const maxReads = 10

/** SHA-256 in hex of the Cedar text and, after a NUL, the document, in UTF-8. */
export function hashOf(cedar: string, document: string | null): string {
  const hash = createHash('sha256').update(cedar, 'utf8')
  return (document === null ? hash : hash.update('\u0000').update(document, 'utf8')).digest('hex')
}

function readGrants(text: string): Grant[] {
  try {
    const grants: unknown = JSON.parse(text)
    if (!Array.isArray(grants)) throw new Error('not a list')
    return grants.map(readGrant)
  } catch (cause) {
    throw new Fault('policy.unavailable', 'the grants of a role cannot be read', { cause })
  }
}

/** All roles, by name. */
export async function readRoles(rows: Rows): Promise<Role[]> {
  const found = await rows.selectFrom('roles').selectAll().execute()
  return found
    .map((row) => ({
      name: row.name,
      description: row.description,
      ...(row.owner !== null && { owner: row.owner }),
      grants: readGrants(row.grants),
      isShipped: Number(row.is_shipped) === 1,
      updatedAt: Number(row.updated_at),
    }))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
}

/** Version and hash of the newest snapshot; undefined in a new database. */
export async function readHead(rows: Rows): Promise<Pick<Snapshot, 'version' | 'hash'> | undefined> {
  const row = await rows
    .selectFrom('policy_snapshots')
    .select(['version', 'hash'])
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? undefined : { version: Number(row.version), hash: row.hash }
}

async function readSnapshot(rows: Rows, version: number): Promise<StoredSnapshot | undefined> {
  const row = await rows
    .selectFrom('policy_snapshots')
    .select(['version', 'hash', 'cedar', 'document'])
    .where('version', '=', version)
    .executeTakeFirst()
  return row === undefined ? undefined : { ...row, version: Number(row.version) }
}

function tampered(says: string): Fault {
  return new Fault('policy.unavailable', `${says}: the database was changed from outside`)
}

async function verify(stored: StoredSnapshot, roles: readonly Role[], isStart: boolean): Promise<VerifiedPolicy> {
  const { version, hash, cedar, document: text } = stored
  const named = `policy snapshot ${version}`
  if (hashOf(cedar, text) !== hash) throw tampered(`${named} does not have its own hash`)
  // WHY: what was made from roles alone is taken over at a start, on record, and nowhere else.
  if (text === null && !isStart) throw tampered(`${named} does not say what it was made from`)
  const made = { author: null, publisher: null, note: '', cameFrom: { kind: 'seeded' } } as const
  const document =
    text === null ? { form: 1 as const, compiler: 1, roles, files: [], tests: [], ...made } : readDocument(text)
  if (!isSameRoles(document.roles, roles)) throw tampered(`${named} does not say what the roles say`)
  const compilation = await compileAside(document, version)
  if (!compilation.isValid) {
    const says = compilation.problems[0]?.says ?? 'unknown'
    throw new Fault('policy.unavailable', `${named} does not compile in this version of castellan: ${says}`)
  }
  const compiled = compilation.policy
  const isOwnForm = document.compiler === compilerForm
  if (isOwnForm && compiled.cedar !== cedar) throw tampered(`${named} does not say what it was made from`)
  return { snapshot: { version, hash, cedar }, compiled, roles, document, isOwnForm }
}

/**
 * The newest snapshot, what it was made from, and the roles.
 * @param isStart whether one is taken that does not say what it was made from
 * @returns undefined in a new database
 * @throws Fault `policy.unavailable` when they do not belong together
 */
export async function readVerified(rows: Rows, isStart = false): Promise<VerifiedPolicy | undefined> {
  for (let read = 0; read < maxReads; read++) {
    const head = await readHead(rows)
    if (head === undefined) return undefined
    const stored = await readSnapshot(rows, head.version)
    const roles = await readRoles(rows)
    const after = await readHead(rows)
    // WHY: outside of a transaction another node may publish between two reads; that is no mismatch.
    if (stored !== undefined && after?.version === head.version) return verify(stored, roles, isStart)
  }
  throw new Fault('policy.unavailable', 'the policy changes too fast to be read')
}

/** One that is kept, whether in force or not, with what it was made from. @throws Fault when it is not as it was written */
export async function readKept(
  rows: Rows,
  version: number,
): Promise<(Snapshot & { readonly document: SnapshotDocument | undefined }) | undefined> {
  const stored = await readSnapshot(rows, version)
  if (stored === undefined) return undefined
  const { document, ...snapshot } = stored
  if (hashOf(stored.cedar, document) !== stored.hash) {
    throw tampered(`policy snapshot ${version} does not have its own hash`)
  }
  return { ...snapshot, document: document === null ? undefined : readDocument(document) }
}
