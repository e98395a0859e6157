/**
 * At which providers may people sign in, and who is whom there? Kept in the database, for all nodes at once.
 * Stops: a provider or link that no record explains; secrets in the open; a removed provider's sessions and roles.
 * Trusts: the caller for permission to act; who it was is recorded. Fails closed: no entry in the ledger, no change.
 * @see ASVS 6.8.1; docs/decisions/0033-sign-in-at-identity-providers.md
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import { readLine } from '../names.ts'
import type { Actor, Parts, Query } from '../parts.ts'
import { approvalsNeeded } from '../recovery/two-persons.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { providerAdded, providerLinked, providerRemoved, providerUnlinked } from './events.ts'
import { endSessionsOf } from './end-sessions.ts'
import { federationRefusals } from './refusals.ts'
import { dropRoles } from './roles.ts'
import {
  type ClientAuthentication,
  type Provider,
  type ProviderView,
  clientAuthentications,
  issuerProblem,
  providerName,
  providerSettings,
} from './settings.ts'

export interface NewProvider {
  readonly name: string
  /** On the button; the name unless told. */
  readonly title?: string | undefined
  readonly issuer: string
  readonly clientId: string
  readonly clientAuthentication?: ClientAuthentication | undefined
  readonly clientSecret?: string | undefined
  /** As `providerSettings` reads it. */
  readonly settings?: unknown
}

/** Who is whom at a provider. */
export interface ProviderLink {
  readonly issuer: string
  readonly subject: string
  readonly personId: string
  readonly provider: string
  readonly createdAt: number
  readonly lastSeenAt: number | null
}

export interface Providers {
  /** By name. */
  list(): Promise<ProviderView[]>
  add(added: NewProvider, by: Actor): Promise<ProviderView | Refusal>
  /** Ends what came from it: sessions, grants and roles. Links stay, for when its issuer is added again. */
  remove(name: string, by: Actor): Promise<{ endedSessions: number } | Refusal>
  /** Those of one provider, newest first. */
  links(name: string): Promise<ProviderLink[] | Refusal>
  link(link: { provider: string; subject: string; personId: string }, by: Actor): Promise<ProviderLink | Refusal>
  /** Ends the sessions that began with it, too. */
  unlink(link: { provider: string; subject: string }, by: Actor): Promise<{ endedSessions: number } | Refusal>
}

const longestSubject = 255
const mostLinks = 10_000

function secretPlace(name: string): string {
  return `providers/sealed_secret/${name}`
}

/** The provider of that name with its secret; undefined when there is none or its secret cannot be opened. */
export async function findProvider(
  { sealer }: Pick<Parts, 'sealer'>,
  query: Query,
  name: string,
): Promise<Provider | undefined> {
  const row = await query.selectFrom('providers').selectAll().where('name', '=', name).executeTakeFirst()
  if (row === undefined) return undefined
  const opened = row.sealed_secret === null ? undefined : sealer.open(row.sealed_secret, secretPlace(name))
  if (row.sealed_secret !== null && opened === undefined) return undefined
  return { ...viewOf(row), secret: opened && Buffer.from(opened).toString() }
}

interface Row {
  readonly name: string
  readonly title: string
  readonly issuer: string
  readonly client_id: string
  readonly client_authentication: string
  readonly settings: string
  readonly created_at: number
  readonly created_by: string | null
}

function viewOf(row: Row): ProviderView {
  return {
    name: row.name,
    title: row.title,
    issuer: row.issuer,
    clientId: row.client_id,
    clientAuthentication: clientAuthentications.find((one) => one === row.client_authentication) ?? 'none',
    settings: providerSettings.parse(JSON.parse(row.settings)),
    createdAt: row.created_at,
    createdBy: row.created_by,
  }
}

function invalid(problem: string): Refusal {
  return refuse(federationRefusals.providerInvalid, { names: { problem } })
}

/** What is to be written, or the first thing that is wrong. */
function readNew(added: NewProvider): Omit<Provider, 'createdAt' | 'createdBy'> | Refusal {
  const { name, issuer, clientId, clientSecret: secret } = added
  if (!providerName.test(name)) return invalid('a name has 1 to 31 of a-z, 0-9 and hyphen, and begins with a letter')
  const title = readLine(added.title ?? name)
  if (title === undefined) return invalid('the title has 1 to 100 visible characters')
  const settings = providerSettings.safeParse(added.settings ?? {})
  if (!settings.success) {
    const [issue] = settings.error.issues
    return invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  const problem = issuerProblem(issuer, settings.data.dangerouslyAllowPlainHttp)
  if (problem !== undefined) return invalid(problem)
  if (!/^[\x21-\x7e]{1,500}$/.test(clientId)) return invalid('the client id has 1 to 500 printable characters')
  const clientAuthentication = added.clientAuthentication ?? (secret === undefined ? 'none' : 'client_secret_basic')
  if ((clientAuthentication === 'none') !== (secret === undefined))
    return invalid('a client secret belongs to every way to authenticate but `none`')
  if (secret !== undefined && (secret === '' || secret.length > 4096))
    return invalid('the client secret is empty or too long')
  return { name, title, issuer, clientId, clientAuthentication, settings: settings.data, secret }
}

async function unknownRole(transaction: Query, wanted: ReadonlySet<string>): Promise<string | undefined> {
  const rows = await transaction.selectFrom('roles').select('name').execute()
  const known = new Set(rows.map(({ name }) => name))
  return [...wanted].find((role) => !known.has(role))
}

function addProvider(parts: Parts, added: NewProvider, by: Actor): Promise<ProviderView | Refusal> {
  const read = readNew(added)
  if (isRefusal(read)) return Promise.resolve(read)
  const { name, title, issuer, clientId, clientAuthentication, settings, secret } = read
  const row = {
    name,
    title,
    issuer,
    client_id: clientId,
    client_authentication: clientAuthentication,
    sealed_secret: secret === undefined ? null : parts.sealer.seal(Buffer.from(secret), secretPlace(name)),
    settings: JSON.stringify(settings),
    created_at: parts.clock.now(),
    created_by: by.id,
  }
  const work = async (transaction: Query) => {
    const taken = await transaction.selectFrom('providers').select('name').where('name', '=', name).executeTakeFirst()
    if (taken) return refuse(federationRefusals.providerTaken, { names: { name } })
    const unknown = await unknownRole(transaction, new Set(Object.values(settings.roles).flat()))
    if (unknown !== undefined) return refuse(refusals.roleUnknown, { names: { role: unknown } })
    await transaction.insertInto('providers').values(row).execute()
    return viewOf(row)
  }
  return recordChange<ProviderView>(parts, {
    work,
    tell: () => [
      providerAdded,
      {
        principal: { id: by.id, name: by.name },
        outcome: 'succeeded',
        details: { provider: name, issuer, client: clientId, clientAuthentication, settings },
      },
    ],
  })
}

function removeProvider(parts: Parts, name: string, by: Actor): Promise<{ endedSessions: number } | Refusal> {
  return recordChange<{ endedSessions: number }>(parts, {
    async work(transaction) {
      const removed = await transaction.deleteFrom('providers').where('name', '=', name).executeTakeFirst()
      if (removed.numDeletedRows !== 1n) return refuse(federationRefusals.providerUnknown)
      const nowMs = parts.clock.now()
      const ended = await endSessionsOf(transaction, { provider: name }, { by, reason: 'provider removed', nowMs })
      await dropRoles(transaction, name, nowMs)
      await transaction.deleteFrom('provider_attempts').where('provider', '=', name).execute()
      // INVARIANT: another provider of this name is another one; no directory's people come in by it.
      await transaction.updateTable('scim_connections').set({ provider: null }).where('provider', '=', name).execute()
      return { endedSessions: ended.sessions }
    },
    tell: (result) => [
      providerRemoved,
      { principal: { id: by.id, name: by.name }, outcome: 'succeeded', details: { provider: name, ...result } },
    ],
  })
}

function linkPerson(
  parts: Parts,
  asked: { provider: string; subject: string; personId: string },
  by: Actor,
): Promise<ProviderLink | Refusal> {
  const { provider, subject, personId } = asked
  const nowMs = parts.clock.now()
  return recordChange<ProviderLink>(parts, {
    async work(transaction) {
      if (subject === '' || subject.length > longestSubject) return invalid('a subject has 1 to 255 characters')
      const found = await transaction
        .selectFrom('providers')
        .select('issuer')
        .where('name', '=', provider)
        .executeTakeFirst()
      if (found === undefined) return refuse(federationRefusals.providerUnknown)
      const person = await transaction.selectFrom('people').select('kind').where('id', '=', personId).executeTakeFirst()
      if (person === undefined) return refuse(refusals.personUnknown)
      if (person.kind === 'service') return refuse(refusals.accountNoPerson)
      // INVARIANT: a link is a way in; no administrator makes one for another administrator alone.
      const isOwn = by.id === personId
      if (!isOwn && (await approvalsNeeded(transaction, personId, nowMs)) > 1) return refuse(refusals.linkNeedsOwn)
      const { issuer } = found
      const row = { issuer, subject, person_id: personId, provider, roles: '[]', created_at: nowMs }
      const inserted = await transaction
        .insertInto('provider_identities')
        .values({ ...row, created_by: by.id, last_seen_at: null })
        .onConflict((conflict) => conflict.columns(['issuer', 'subject']).doNothing())
        .returning('subject')
        .executeTakeFirst()
      if (inserted === undefined) return refuse(federationRefusals.linkTaken)
      return { issuer, subject, personId, provider, createdAt: nowMs, lastSeenAt: null }
    },
    tell: ({ issuer }) => [
      providerLinked,
      {
        principal: { id: by.id, name: by.name },
        outcome: 'succeeded',
        details: { provider, issuer, subject, person: personId },
      },
    ],
  })
}

function unlinkPerson(parts: Parts, asked: { provider: string; subject: string }, by: Actor) {
  const { provider, subject } = asked
  return recordChange<{ endedSessions: number; personId: string }>(parts, {
    async work(transaction) {
      const nowMs = parts.clock.now()
      const found = await transaction
        .selectFrom('providers')
        .select('issuer')
        .where('name', '=', provider)
        .executeTakeFirst()
      if (found === undefined) return refuse(federationRefusals.providerUnknown)
      const { issuer } = found
      const identity = await transaction
        .deleteFrom('provider_identities')
        .where('issuer', '=', issuer)
        .where('subject', '=', subject)
        .returning(['person_id'])
        .executeTakeFirst()
      if (identity === undefined) return refuse(federationRefusals.notLinked)
      const ended = await endSessionsOf(transaction, { issuer, subject }, { by, reason: 'unlinked', nowMs })
      await dropRoles(transaction, provider, nowMs, identity.person_id)
      return { endedSessions: ended.sessions, personId: identity.person_id }
    },
    tell: ({ endedSessions, personId }) => [
      providerUnlinked,
      {
        principal: { id: by.id, name: by.name },
        outcome: 'succeeded',
        details: { provider, subject, person: personId, endedSessions },
      },
    ],
  })
}

export function createProviders(parts: Parts): Providers {
  const { query } = parts.database
  return {
    async list() {
      const rows = await query.selectFrom('providers').selectAll().orderBy('name').execute()
      return rows.map(viewOf)
    },
    add: (added, by) => addProvider(parts, added, by),
    remove: (name, by) => removeProvider(parts, name, by),
    async links(name) {
      const found = await query.selectFrom('providers').select('issuer').where('name', '=', name).executeTakeFirst()
      if (found === undefined) return refuse(federationRefusals.providerUnknown)
      const rows = await query
        .selectFrom('provider_identities')
        .selectAll()
        .where('issuer', '=', found.issuer)
        .orderBy('created_at', 'desc')
        .limit(mostLinks)
        .execute()
      return rows.map((row) => ({
        issuer: row.issuer,
        subject: row.subject,
        personId: row.person_id,
        provider: row.provider,
        createdAt: row.created_at,
        lastSeenAt: row.last_seen_at,
      }))
    },
    link: (link, by) => linkPerson(parts, link, by),
    async unlink(link, by) {
      const unlinked = await unlinkPerson(parts, link, by)
      return isRefusal(unlinked) ? unlinked : { endedSessions: unlinked.endedSessions }
    },
  }
}
