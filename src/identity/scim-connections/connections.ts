/**
 * Which directories may provision people? Each with a token of its own or an OAuth client, made by an administrator.
 * Stops: a directory that nobody let in; a token that lives for ever, or after a rotation.
 * Trusts: the caller for permission to act; who it was is recorded. Fails closed: no entry in the ledger, no change.
 * @see docs/decisions/0035-people-come-from-directories.md
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import { isDuplicate, type Tables } from '#platform/database'
import { createToken, hashToken } from '../credentials/opaque-token.ts'
import { federationRefusals } from '../federation/refusals.ts'
import type { Actor, Parts, Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { connectionAdded, connectionRemoved, connectionRotated } from '../scim/events.ts'
import { scimRefusals } from '../scim/refusals.ts'
import { holdersOf, syncRoles } from './sync-roles.ts'

const nameShape = /^[a-z][a-z0-9-]{0,30}$/
const daySeconds = 86_400
const longestSeconds = 730 * daySeconds

/** How an account at a provider is known to be a person of the connection. */
export const linkWays = ['sub', 'oid', 'email'] as const
export type LinkWay = (typeof linkWays)[number]

export interface NewConnection {
  readonly name: string
  /** Of its token, in whole seconds; none where it comes with an OAuth client. */
  readonly ttlSeconds?: number | undefined
  readonly clientId?: string | undefined
  readonly provider?: string | undefined
  readonly linkBy?: LinkWay | undefined
}

/** What is shown of a connection: everything but its token. Times in wall-clock milliseconds. */
export interface ConnectionView {
  readonly name: string
  readonly expiresAt: number | null
  readonly clientId: string | null
  readonly provider: string | null
  readonly linkBy: LinkWay
  readonly people: number
  readonly groups: number
  readonly mappings: readonly { readonly group: string; readonly role: string }[]
  readonly createdAt: number
}

export interface WithToken {
  readonly view: ConnectionView
  /** `csp_…`: shown once; none where it comes with an OAuth client. */
  readonly token: string | undefined
}

async function viewOf(query: Query, row: Tables['scim_connections']): Promise<ConnectionView> {
  const people = await query
    .selectFrom('scim_people')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('connection', '=', row.name)
    .where('removed_at', 'is', null)
    .executeTakeFirstOrThrow()
  const groups = await query
    .selectFrom('scim_groups')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('connection', '=', row.name)
    .executeTakeFirstOrThrow()
  const mappings = await query
    .selectFrom('scim_mappings')
    .select(['group_name as group', 'role'])
    .where('connection', '=', row.name)
    .orderBy('group_name')
    .orderBy('role')
    .execute()
  const { name, expires_at, client_id, provider, link_by, created_at } = row
  const counts = { people: Number(people.count), groups: Number(groups.count), mappings }
  const tied = { clientId: client_id, provider, linkBy: link_by }
  return { name, expiresAt: expires_at, ...tied, ...counts, createdAt: created_at }
}

/** The row of a connection, or the refusal for one that is not there. */
export async function findConnection(query: Query, name: string): Promise<Tables['scim_connections'] | Refusal> {
  const found = await query.selectFrom('scim_connections').selectAll().where('name', '=', name).executeTakeFirst()
  return found ?? refuse(scimRefusals.connectionUnknown)
}

function invalid(problem: string): Refusal {
  return refuse(scimRefusals.connectionInvalid, { names: { problem } })
}

function isLifetime(ttlSeconds: number): boolean {
  return Number.isInteger(ttlSeconds) && ttlSeconds >= daySeconds && ttlSeconds <= longestSeconds
}

function problemOf({ name, ttlSeconds, clientId, provider, linkBy }: NewConnection): Refusal | undefined {
  if (!nameShape.test(name)) return invalid('name')
  if ((ttlSeconds === undefined) === (clientId === undefined)) return invalid('token or client')
  if (ttlSeconds !== undefined && !isLifetime(ttlSeconds)) return invalid('lifetime')
  return provider === undefined && linkBy !== undefined ? invalid('provider') : undefined
}

async function whyNotTied(transaction: Query, { clientId, provider }: NewConnection): Promise<Refusal | undefined> {
  if (provider !== undefined) {
    const known = transaction.selectFrom('providers').select('name').where('name', '=', provider)
    if ((await known.executeTakeFirst()) === undefined) return refuse(federationRefusals.providerUnknown)
  }
  if (clientId === undefined) return undefined
  const client = await transaction
    .selectFrom('oauth_clients')
    .select('registered_by')
    .where('id', '=', clientId)
    .executeTakeFirst()
  // INVARIANT: a client that made itself known is no directory.
  return client?.registered_by === 'administrator' ? undefined : invalid('client')
}

async function add(parts: Parts, fresh: NewConnection, by: Actor): Promise<WithToken | Refusal> {
  const problem = problemOf(fresh)
  if (problem !== undefined) return problem
  const { name, ttlSeconds, clientId, provider, linkBy = 'sub' } = fresh
  const nowMs = parts.clock.now()
  const token = ttlSeconds === undefined ? undefined : createToken('scim')
  const row = {
    name,
    token_hash: token === undefined ? null : hashToken(token),
    expires_at: ttlSeconds === undefined ? null : nowMs + ttlSeconds * 1000,
    client_id: clientId ?? null,
    provider: provider ?? null,
    link_by: linkBy,
    created_at: nowMs,
    created_by: by.id,
  }
  const change = {
    async work(transaction: Query) {
      const refusal = await whyNotTied(transaction, fresh)
      if (refusal !== undefined) return refusal
      await transaction.insertInto('scim_connections').values(row).execute()
      return { view: await viewOf(transaction, row), token }
    },
    tell: ({ view: { expiresAt } }: WithToken) =>
      [
        connectionAdded,
        {
          principal: { id: by.id, name: by.name },
          outcome: 'succeeded',
          details: {
            connection: name,
            expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
            client: clientId ?? null,
            provider: provider ?? null,
            linkBy,
          },
        },
      ] as const,
  }
  try {
    return await recordChange<WithToken>(parts, change)
  } catch (error) {
    if (!isDuplicate(error)) throw error
    return refuse(scimRefusals.connectionTaken, { names: { name } })
  }
}

function rotate(parts: Parts, asked: { name: string; ttlSeconds: number }, by: Actor): Promise<WithToken | Refusal> {
  const { name, ttlSeconds } = asked
  if (!isLifetime(ttlSeconds)) return Promise.resolve(invalid('lifetime'))
  const token = createToken('scim')
  const expires_at = parts.clock.now() + ttlSeconds * 1000
  return recordChange<WithToken>(parts, {
    async work(transaction) {
      const found = await findConnection(transaction, name)
      if (isRefusal(found)) return found
      if (found.client_id !== null) return invalid('client')
      const fresh = { token_hash: hashToken(token), expires_at }
      await transaction.updateTable('scim_connections').set(fresh).where('name', '=', name).execute()
      return { view: await viewOf(transaction, { ...found, ...fresh }), token }
    },
    tell: () => [
      connectionRotated,
      {
        principal: { id: by.id, name: by.name },
        outcome: 'succeeded',
        details: { connection: name, expiresAt: new Date(expires_at).toISOString() },
      },
    ],
  })
}

/** Groups and mappings go with the connection; its people stay as they are, and are nobody's. */
async function clear(transaction: Query, name: string, nowMs: number): Promise<Refusal | undefined> {
  await transaction.deleteFrom('scim_mappings').where('connection', '=', name).execute()
  const changed = await syncRoles(transaction, { connection: name, people: await holdersOf(transaction, name), nowMs })
  if (isRefusal(changed)) return changed
  const groups = transaction.selectFrom('scim_groups').select('id').where('connection', '=', name)
  await transaction.deleteFrom('scim_members').where('group_id', 'in', groups).execute()
  const people = transaction.selectFrom('scim_people').select('person_id').where('connection', '=', name)
  await transaction.deleteFrom('scim_emails').where('person_id', 'in', people).execute()
  await transaction.deleteFrom('scim_groups').where('connection', '=', name).execute()
  await transaction.deleteFrom('scim_people').where('connection', '=', name).execute()
  await transaction.deleteFrom('scim_connections').where('name', '=', name).execute()
  return undefined
}

function remove(parts: Parts, name: string, by: Actor): Promise<ConnectionView | Refusal> {
  return recordChange<ConnectionView>(parts, {
    async work(transaction) {
      const found = await findConnection(transaction, name)
      if (isRefusal(found)) return found
      const view = await viewOf(transaction, found)
      return (await clear(transaction, name, parts.clock.now())) ?? view
    },
    tell: ({ people, groups }) => [
      connectionRemoved,
      { principal: { id: by.id, name: by.name }, outcome: 'succeeded', details: { connection: name, people, groups } },
    ],
  })
}

export interface Connections {
  /** By name. */
  list(): Promise<ConnectionView[]>
  add(fresh: NewConnection, by: Actor): Promise<WithToken | Refusal>
  /** A new token in the place of the one before, which is worth nothing from then on. */
  rotate(asked: { readonly name: string; readonly ttlSeconds: number }, by: Actor): Promise<WithToken | Refusal>
  remove(name: string, by: Actor): Promise<ConnectionView | Refusal>
}

export function createConnections(parts: Parts): Connections {
  const { query } = parts.database
  return {
    async list() {
      const rows = await query.selectFrom('scim_connections').selectAll().orderBy('name').execute()
      return Promise.all(rows.map((row) => viewOf(query, row)))
    },
    add: (fresh, by) => add(parts, fresh, by),
    rotate: (asked, by) => rotate(parts, asked, by),
    remove: (name, by) => remove(parts, name, by),
  }
}
