/**
 * Which OAuth clients are known, how did they become known, and which may come in?
 * Stops: a flood of registrations, a client that an admin blocked or has not approved, a secret readable in the database.
 * Trusts: the ledger's receipt and the sealer. Fails closed: what does not open is no client.
 * @see RFC 7591; docs/decisions/0030-authorization-server.md
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import { isDuplicate } from '#platform/database'
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { Actor, Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { clientApproved, clientBlocked, clientRegistered } from '../oauth/events.ts'
import { endGrants } from '../oauth/grants.ts'
import type { RegisteredBy } from '../oauth/interactions.ts'
import type { OauthParts } from '../oauth/parts.ts'
import { whyNotActing } from '../service-accounts/standing.ts'
import { builtInClient } from '../terminals/built-in-client.ts'
import { openMetadata, sealMetadata } from './metadata.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const mostListed = 1_000
/** Clients that registered themselves and have no grant on record. */
const mostUnused = 10_000

/** What is shown of a client; never its secret. Times in wall-clock milliseconds. */
export interface ClientView {
  readonly id: string
  readonly name: string
  readonly registeredBy: RegisteredBy
  readonly redirectHosts: readonly string[]
  /** The service account that it acts as when it acts for nobody else. */
  readonly personId?: string
  /** It is tied to a person and not to a service account: it is given no token. */
  readonly actsAsPerson: boolean
  /** Resources that it may exchange tokens for. */
  readonly exchangeResources?: readonly string[]
  readonly createdAt: number
  readonly isApproved: boolean
  readonly isBlocked: boolean
}

/** Who came, as far as the store has to know. */
export interface Visitor {
  readonly address: string
}

export interface Clients {
  /** Newest first, at most 1000. */
  list(): Promise<ClientView[]>
  find(id: string): Promise<ClientView | undefined>
  approve(id: string, by: Actor): Promise<ClientView | Refusal>
  /** Ends what it was granted; it is not known any more from the next request on. */
  block(id: string, by: Actor): Promise<ClientView | Refusal>
  /** Registers a client on behalf of an admin; approved at once. */
  add(
    metadata: AdapterPayload,
    options: { by: Actor } & Pick<Registered, 'personId' | 'exchangeResources'>,
  ): Promise<ClientView>
  /** A client that is known by its metadata document: written down when it is first granted something. */
  noteDocument(client: { id: string; name: string; redirectUris: readonly string[] }): Promise<void>
  /** What the provider asks. */
  readonly adapter: Adapter
}

interface Row {
  readonly id: string
  readonly name: string
  readonly registered_by: RegisteredBy
  readonly redirect_hosts: string
  readonly sealed_metadata: string | null
  readonly person_id: string | null
  readonly created_at: number
  readonly approved_at: number | null
  readonly blocked_at: number | null
  readonly exchange_resources: string | null
  /** Of whom it acts as. */
  readonly holder_kind?: 'person' | 'service' | null
}

function viewOf(row: Row): ClientView {
  return {
    id: row.id,
    name: row.name,
    registeredBy: row.registered_by,
    redirectHosts: JSON.parse(row.redirect_hosts) as string[],
    ...(row.person_id === null ? {} : { personId: row.person_id }),
    actsAsPerson: row.holder_kind === 'person',
    ...(row.exchange_resources === null
      ? {}
      : { exchangeResources: JSON.parse(row.exchange_resources) as readonly string[] }),
    createdAt: row.created_at,
    isApproved: row.approved_at !== null,
    isBlocked: row.blocked_at !== null,
  }
}

/** Hosts, or schemes of programs, that answers go to: each once. */
export function redirectHostsOf(redirectUris: readonly string[]): readonly string[] {
  return [...new Set(redirectUris.map(redirectHostOf))]
}

/** The host and port of an address, or the scheme of one that has no host. */
export function redirectHostOf(uri: string): string {
  if (!URL.canParse(uri)) return ''
  const { host, protocol } = new URL(uri)
  return host === '' ? protocol : host
}

function nameOf(metadata: AdapterPayload): string {
  const { client_name: name, client_id: id } = metadata
  return typeof name === 'string' && name !== '' ? name : String(id)
}

interface Registered {
  readonly by: RegisteredBy
  readonly actor?: Actor | undefined
  readonly personId?: string | undefined
  readonly exchangeResources?: readonly string[] | undefined
  readonly address?: string | undefined
  readonly isApproved: boolean
}

function rowOf(parts: OauthParts, metadata: AdapterPayload, how: Registered) {
  const now = parts.clock.now()
  const id = String(metadata.client_id)
  return {
    id,
    name: nameOf(metadata),
    registered_by: how.by,
    redirect_hosts: JSON.stringify(redirectHostsOf(metadata.redirect_uris ?? [])),
    sealed_metadata: sealMetadata(parts.sealer, id, metadata),
    person_id: how.personId ?? null,
    created_at: now,
    created_by: how.actor?.id ?? null,
    created_from: how.address ?? null,
    approved_at: how.isApproved ? now : null,
    approved_by: how.actor?.id ?? null,
    blocked_at: null,
    blocked_by: null,
    exchange_resources: how.exchangeResources === undefined ? null : JSON.stringify(how.exchangeResources),
  }
}

async function makeRoom(transaction: Query, nowMs: number): Promise<number> {
  const unused = transaction
    .selectFrom('oauth_clients')
    .leftJoin('oauth_grants', 'oauth_grants.client_id', 'oauth_clients.id')
    .select('oauth_clients.id')
    .where('registered_by', '=', 'registration')
    .where('blocked_at', 'is', null)
    .where('oauth_grants.id', 'is', null)
  const old = unused.where('oauth_clients.created_at', '<', nowMs - dayMs)
  await transaction.deleteFrom('oauth_clients').where('id', 'in', old).execute()
  return (await unused.limit(mostUnused).execute()).length
}

/** Why this address may not register another client. */
async function refuseFlood(parts: OauthParts, transaction: Query, address: string): Promise<Refusal | undefined> {
  const now = parts.clock.now()
  const { count } = await transaction
    .selectFrom('oauth_clients')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('created_from', '=', address)
    .where('created_at', '>', now - hourMs)
    .executeTakeFirstOrThrow()
  if (Number(count) >= parts.settings.oauth.registrationsPerHour) return refuse(refusals.registrationsExceeded)
  return (await makeRoom(transaction, now)) >= mostUnused ? refuse(refusals.registrationsExceeded) : undefined
}

async function register(parts: OauthParts, metadata: AdapterPayload, how: Registered): Promise<ClientView | Refusal> {
  const row = rowOf(parts, metadata, how)
  return recordChange<ClientView>(parts, {
    async work(transaction) {
      const isOwn = how.by === 'registration' && how.address !== undefined
      const flood = isOwn ? await refuseFlood(parts, transaction, how.address ?? '') : undefined
      if (flood) return flood
      await transaction.insertInto('oauth_clients').values(row).execute()
      return viewOf(row)
    },
    tell: (view) => [
      clientRegistered,
      {
        ...(how.actor === undefined ? {} : { principal: { id: how.actor.id, name: how.actor.name } }),
        address: how.address,
        outcome: 'succeeded',
        details: {
          client: view.id,
          clientName: view.name,
          registeredBy: view.registeredBy,
          redirectHosts: view.redirectHosts,
          ...(view.exchangeResources === undefined ? {} : { exchangeResources: view.exchangeResources }),
          isApproved: view.isApproved,
        },
      },
    ],
  })
}

function createAdapter(parts: OauthParts, visitor: () => Visitor | undefined): Adapter {
  const none = async (): Promise<undefined> => undefined
  return {
    async find(id) {
      const row = await parts.database.query
        .selectFrom('oauth_clients')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst()
      // WHY: whoever is known by its metadata document is read from there.
      const isKept = row?.sealed_metadata !== null && row?.registered_by !== 'metadata-document'
      const isBuiltIn = row?.registered_by === 'built-in'
      if (!row || (!isKept && !isBuiltIn) || row.blocked_at !== null || row.approved_at === null) return undefined
      if (isBuiltIn) return builtInClient
      const { database, clock } = parts
      const why = row.person_id === null ? undefined : await whyNotActing(database.query, row.person_id, clock.now())
      // WHY: told as any failed authentication; the reason is for the record.
      if (why !== undefined) throw new errors.InvalidClientAuth(why)
      return openMetadata(parts.sealer, id, row.sealed_metadata)
    },
    async upsert(_id, metadata) {
      const address = visitor()?.address
      const isApproved = parts.settings.oauth.registration === 'open'
      const answer = await register(parts, metadata, { by: 'registration', address, isApproved })
      if (!isRefusal(answer)) return
      const told = new errors.CustomOIDCProviderError('temporarily_unavailable', answer.says)
      throw Object.assign(told, { statusCode: answer.status, status: answer.status })
    },
    findByUserCode: none,
    findByUid: none,
    consume: none,
    destroy: none,
    revokeByGrantId: none,
  }
}

function rowsIn(query: Query) {
  return query
    .selectFrom('oauth_clients')
    .leftJoin('people as holder', 'holder.id', 'oauth_clients.person_id')
    .selectAll('oauth_clients')
    .select('holder.kind as holder_kind')
}

async function decide(
  parts: OauthParts,
  id: string,
  decided: { by: Actor; block: boolean },
): Promise<ClientView | Refusal> {
  const { by, block } = decided
  return recordChange<ClientView>(parts, {
    async work(transaction) {
      const row = await rowsIn(transaction).where('oauth_clients.id', '=', id).executeTakeFirst()
      if (!row) return refuse(refusals.clientUnknown)
      const now = parts.clock.now()
      const set = block
        ? { blocked_at: now, blocked_by: by.id }
        : { approved_at: row.approved_at ?? now, approved_by: by.id, blocked_at: null, blocked_by: null }
      await transaction.updateTable('oauth_clients').set(set).where('id', '=', id).execute()
      if (block) await endGrants(transaction, { whose: { clientId: id }, by, reason: 'client blocked', nowMs: now })
      return viewOf({ ...row, ...set })
    },
    tell: ({ name }) => [
      block ? clientBlocked : clientApproved,
      {
        principal: { id: by.id, name: by.name },
        outcome: 'succeeded',
        details: { client: id, clientName: name },
      },
    ],
  })
}

/** @param visitor who makes the request that is being answered */
export function createClients(parts: OauthParts, visitor: () => Visitor | undefined): Clients {
  const rows = () => rowsIn(parts.database.query)
  const find = async (id: string): Promise<ClientView | undefined> => {
    const row = await rows().where('oauth_clients.id', '=', id).executeTakeFirst()
    return row && viewOf(row)
  }
  return {
    find,
    list: async () =>
      (await rows().orderBy('oauth_clients.created_at', 'desc').limit(mostListed).execute()).map(viewOf),
    approve: (id, by) => decide(parts, id, { by, block: false }),
    block: (id, by) => decide(parts, id, { by, block: true }),
    async add(metadata, { by, ...more }) {
      const how = { by: 'administrator', actor: by, ...more, isApproved: true } as const
      const added = await register(parts, metadata, how)
      if (isRefusal(added)) throw new TypeError('what an admin registers is not refused here')
      return added
    },
    async noteDocument({ id, name, redirectUris }) {
      if (await find(id)) return
      const metadata = { client_id: id, client_name: name, redirect_uris: [...redirectUris] }
      const how = { by: 'metadata-document', address: visitor()?.address, isApproved: true } as const
      await register(parts, metadata, how).catch((error: unknown) => {
        // WHY: another request wrote it down in between.
        if (!isDuplicate(error)) throw error
      })
    },
    adapter: createAdapter(parts, visitor),
  }
}
