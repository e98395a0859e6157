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

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const mostListed = 1_000
/** Clients that registered themselves and were never granted anything. */
const mostUnused = 10_000

/** What is shown of a client; never its secret. Times in wall-clock milliseconds. */
export interface ClientView {
  readonly id: string
  readonly name: string
  readonly registeredBy: RegisteredBy
  readonly redirectHosts: readonly string[]
  /** Whose rights it has when it acts for nobody else. */
  readonly personId?: string
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
  add(metadata: AdapterPayload, options: { by: Actor; personId?: string | undefined }): Promise<ClientView>
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
}

function viewOf(row: Row): ClientView {
  return {
    id: row.id,
    name: row.name,
    registeredBy: row.registered_by,
    redirectHosts: JSON.parse(row.redirect_hosts) as string[],
    ...(row.person_id === null ? {} : { personId: row.person_id }),
    createdAt: row.created_at,
    isApproved: row.approved_at !== null,
    isBlocked: row.blocked_at !== null,
  }
}

function placeOf(id: string): string {
  return `oauth-client/${id}`
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
    sealed_metadata: parts.sealer.seal(Buffer.from(JSON.stringify(metadata)), placeOf(id)),
    person_id: how.personId ?? null,
    created_at: now,
    created_by: how.actor?.id ?? null,
    created_from: how.address ?? null,
    approved_at: how.isApproved ? now : null,
    approved_by: how.actor?.id ?? null,
    blocked_at: null,
    blocked_by: null,
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
      if (!row || !isKept || row.blocked_at !== null || row.approved_at === null) return undefined
      const plain = parts.sealer.open(row.sealed_metadata ?? '', placeOf(id))
      return plain === undefined ? undefined : (JSON.parse(Buffer.from(plain).toString()) as AdapterPayload)
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

async function decide(
  parts: OauthParts,
  id: string,
  decided: { by: Actor; block: boolean },
): Promise<ClientView | Refusal> {
  const { by, block } = decided
  return recordChange<ClientView>(parts, {
    async work(transaction) {
      const row = await transaction.selectFrom('oauth_clients').selectAll().where('id', '=', id).executeTakeFirst()
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
  const rows = () => parts.database.query.selectFrom('oauth_clients').selectAll()
  const find = async (id: string): Promise<ClientView | undefined> => {
    const row = await rows().where('id', '=', id).executeTakeFirst()
    return row && viewOf(row)
  }
  return {
    find,
    list: async () => (await rows().orderBy('created_at', 'desc').limit(mostListed).execute()).map(viewOf),
    approve: (id, by) => decide(parts, id, { by, block: false }),
    block: (id, by) => decide(parts, id, { by, block: true }),
    async add(metadata, { by, personId }) {
      const how = { by: 'administrator', actor: by, personId, isApproved: true } as const
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
