/**
 * Which snapshot and roles does the database hold, and do they belong together?
 * Stops: a changed text, hash or role row; a snapshot and roles read from two different moments.
 * Trusts: the database to return what was committed, not that nobody edited it.
 * Fails: a mismatch is a Fault `policy.unavailable` that names what differs; nobody is allowed anything then.
 */
import { createHash } from 'node:crypto'
import type { Database } from '#platform/database'
import { Fault } from '#kernel'
import { compileRoles, type CompiledRoles } from '../cedar/compile.ts'
import { type Grant, plainGrant, type Role } from '../roles/role.ts'

/** Rows are read through this: the database itself or one transaction. */
export type Rows = Database['query']

export interface Snapshot {
  /** Counts from 1 without gaps. */
  readonly version: number
  /** SHA-256 of the Cedar text in UTF-8, in hex. */
  readonly hash: string
  readonly cedar: string
}

export interface VerifiedPolicy {
  readonly snapshot: Snapshot
  readonly compiled: CompiledRoles
  readonly roles: readonly Role[]
}

const maxReads = 10

/** SHA-256 of a Cedar text in UTF-8, in hex. */
export function hashOf(cedar: string): string {
  return createHash('sha256').update(cedar, 'utf8').digest('hex')
}

function readGrants(text: string): Grant[] {
  const isList = (value: unknown) => Array.isArray(value) && value.every((one) => typeof one === 'string')
  try {
    const grants: unknown = JSON.parse(text)
    if (!Array.isArray(grants)) throw new Error('not a list')
    return grants.map((grant: Partial<Grant> | null) => {
      if (!isList(grant?.permissions) || !isList(grant?.resources)) throw new Error('not a grant')
      const { permissions = [], resources = [], stepUp } = grant ?? {}
      if (stepUp !== undefined && stepUp !== true) throw new Error('not a grant')
      return plainGrant({ permissions, resources, ...(stepUp === undefined ? {} : { stepUp }) })
    })
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

async function readSnapshot(rows: Rows, version: number): Promise<Snapshot | undefined> {
  const row = await rows
    .selectFrom('policy_snapshots')
    .select(['version', 'hash', 'cedar'])
    .where('version', '=', version)
    .executeTakeFirst()
  return row === undefined ? undefined : { version: Number(row.version), hash: row.hash, cedar: row.cedar }
}

function verify(snapshot: Snapshot, roles: readonly Role[]): VerifiedPolicy {
  const named = `policy snapshot ${snapshot.version}`
  if (hashOf(snapshot.cedar) !== snapshot.hash) {
    throw new Fault('policy.unavailable', `${named} does not have its own hash: the database was changed from outside`)
  }
  const compiled = compileRoles(roles, snapshot.version)
  if (compiled.cedar !== snapshot.cedar) {
    throw new Fault(
      'policy.unavailable',
      `${named} does not say what the roles say: the database was changed from outside`,
    )
  }
  return { snapshot, compiled, roles }
}

/**
 * The newest snapshot and the roles it was compiled from.
 * @returns undefined in a new database
 * @throws Fault `policy.unavailable` when they do not belong together
 */
export async function readVerified(rows: Rows): Promise<VerifiedPolicy | undefined> {
  for (let read = 0; read < maxReads; read++) {
    const head = await readHead(rows)
    if (head === undefined) return undefined
    const snapshot = await readSnapshot(rows, head.version)
    const roles = await readRoles(rows)
    const after = await readHead(rows)
    // WHY: outside of a transaction another node may publish between two reads; that is no mismatch.
    if (snapshot !== undefined && after?.version === head.version) return verify(snapshot, roles)
  }
  throw new Fault('policy.unavailable', 'the policy changes too fast to be read')
}
