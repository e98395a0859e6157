/**
 * Who is let in to choose a password? The holder of a one-use link: the first admin, or an invited person.
 * Stops default accounts, and links that work twice, late, or after a newer one was made.
 * Trusts the printed or handed-over link as the only proof. Fails closed: every link that does not hold is one refusal.
 * @see ASVS 6.3.2, 6.4.1
 */
import { createId, isRefusal, type Refusal, refuse } from '#kernel'
import { personInvited, enrolmentOpened } from '../events.ts'
import { canonicalName, isFreeForPeople, readLine } from '../names.ts'
import { createToken, hashToken, readToken } from '../credentials/opaque-token.ts'
import { type Actor, type Parts, type Query, castellan } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'

const minuteMs = 60_000
const setupLifeMs = 15 * minuteMs
const invitationLifeMs = 24 * 60 * minuteMs

/** Wrong codes after which a link is worth nothing. */
export const mostEnrolmentAttempts = 10

/** The role of the first admin. */
export const adminRole = 'admin'

export interface EnrolmentLink {
  /** `cse_…`: shown once, to be put into the fragment of a link. */
  readonly token: string
  /** Wall-clock milliseconds. */
  readonly expiresAt: number
}

export interface Invitation {
  readonly name: string
  readonly displayName?: string | undefined
  readonly roles: readonly string[]
  readonly by: Actor
}

export interface OpenEnrolment {
  readonly id: string
  readonly kind: 'setup' | 'invitation'
  readonly roles: readonly string[]
  readonly createdBy: string | null
  readonly sealedDraft: string | null
  /** The invited person. */
  readonly person: { readonly id: string; readonly name: string; readonly displayName: string } | undefined
}

/** Whether anyone has the role of the first admin: from then on there is no set-up. */
export async function hasAdmin(query: Query): Promise<boolean> {
  const found = await query
    .selectFrom('role_grants')
    .innerJoin('people', 'people.id', 'role_grants.person_id')
    .select('people.id')
    .where('role', '=', adminRole)
    .limit(1)
    .executeTakeFirst()
  return found !== undefined
}

/** The enrolment of a link that holds at this moment; undefined for unknown, used, expired and worn-out ones alike. */
export async function findOpenEnrolment(
  query: Query,
  token: string,
  nowMs: number,
): Promise<OpenEnrolment | undefined> {
  const tokenHash = readToken('enrolment', token)
  if (tokenHash === undefined) return undefined
  const row = await query
    .selectFrom('enrolments')
    .leftJoin('people', 'people.id', 'enrolments.person_id')
    .selectAll('enrolments')
    .select(['people.name', 'people.display_name', 'people.status', 'people.password_hash', 'people.kind as holder'])
    .where('token_hash', '=', tokenHash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', nowMs)
    .where('attempts', '<', mostEnrolmentAttempts)
    .executeTakeFirst()
  if (!row) return undefined
  const isPerson = row.holder === 'person' && row.status === 'active'
  const isWaiting = row.kind === 'setup' || (isPerson && row.password_hash === null)
  if (!isWaiting) return undefined
  const { person_id: id, name, display_name: displayName } = row
  return {
    id: row.id,
    kind: row.kind,
    roles: readRoles(row.roles),
    createdBy: row.created_by,
    sealedDraft: row.sealed_draft,
    person: id !== null && name !== null && displayName !== null ? { id, name, displayName } : undefined,
  }
}

function readRoles(json: string): string[] {
  const roles: unknown = JSON.parse(json)
  return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : []
}

interface NewEnrolment {
  readonly kind: OpenEnrolment['kind']
  readonly roles: readonly string[]
  readonly by: Actor
}

/** Makes the token; `insert` puts it in the place of the unused links for the same purpose. */
export function draftLink({ clock }: Pick<Parts, 'clock'>, fresh: NewEnrolment) {
  const now = clock.now()
  const token = createToken('enrolment')
  const expiresAt = now + (fresh.kind === 'setup' ? setupLifeMs : invitationLifeMs)
  const row = {
    id: createId(now),
    token_hash: hashToken(token),
    kind: fresh.kind,
    roles: JSON.stringify(fresh.roles),
    expires_at: expiresAt,
    used_at: null,
    created_at: now,
    created_by: fresh.by.id,
    sealed_draft: null,
  }
  return {
    link: { token, expiresAt } satisfies EnrolmentLink,
    async insert(transaction: Query, personId: string | null): Promise<void> {
      const used = transaction
        .updateTable('enrolments')
        .set({ used_at: now, sealed_draft: null })
        .where('used_at', 'is', null)
      await (personId === null ? used.where('kind', '=', 'setup') : used.where('person_id', '=', personId)).execute()
      await transaction
        .insertInto('enrolments')
        .values({ ...row, person_id: personId })
        .execute()
    },
  }
}

/**
 * A link for the first admin, 15 minutes; it ends the one before.
 * @returns undefined once anyone has the role admin
 */
export async function ensureSetupLink(parts: Parts): Promise<EnrolmentLink | undefined> {
  const { link, insert } = draftLink(parts, { kind: 'setup', roles: [adminRole], by: castellan })
  const made = await recordChange<EnrolmentLink | undefined>(parts, {
    async work(transaction) {
      if (await hasAdmin(transaction)) return undefined
      await insert(transaction, null)
      return link
    },
    tell: (opened) =>
      opened && [
        enrolmentOpened,
        {
          principal: castellan,
          outcome: 'succeeded',
          details: { expiresAt: new Date(opened.expiresAt).toISOString() },
        },
      ],
  })
  return isRefusal(made) ? undefined : made
}

/** A person without a password and a link for them, 24 hours. Inviting again before it was used makes a new link. */
export async function invite(
  parts: Parts,
  { name, displayName, roles, by }: Invitation,
): Promise<EnrolmentLink | Refusal> {
  const canonical = canonicalName(name)
  if (canonical === undefined || !isFreeForPeople(canonical)) return refuse(refusals.nameInvalid, { names: { name } })
  const line = readLine(displayName ?? canonical)
  if (line === undefined) return refuse(refusals.displayNameInvalid)
  const now = parts.clock.now()
  const wanted = [...new Set(roles)].toSorted()
  const { link, insert } = draftLink(parts, { kind: 'invitation', roles: wanted, by })
  const personId = createId(now)
  return recordChange<EnrolmentLink>(parts, {
    async work(transaction) {
      const unknown = await firstUnknownRole(transaction, wanted)
      if (unknown !== undefined) return refuse(refusals.roleUnknown, { names: { role: unknown } })
      const known = await transaction.selectFrom('people').selectAll().where('name', '=', canonical).executeTakeFirst()
      if (known?.kind === 'service') return refuse(refusals.accountNoPerson)
      // INVARIANT: who has been an administrator comes back by a reset, never by an invitation.
      const isKnown = known && (known.password_hash !== null || known.administered_at !== null)
      if (known && (isKnown || known.status !== 'active')) {
        return refuse(refusals.nameTaken, { names: { name: canonical } })
      }
      const person = { name: canonical, display_name: line, status: 'active' as const, password_hash: null }
      if (!known) {
        const times = { created_at: now, updated_at: now }
        await transaction
          .insertInto('people')
          .values({ ...person, ...times, id: personId })
          .execute()
      }
      await insert(transaction, known?.id ?? personId)
      return link
    },
    tell: () => [
      personInvited,
      {
        principal: { id: by.id, name: by.name },
        outcome: 'succeeded',
        details: { person: canonical, roles: wanted, expiresAt: new Date(link.expiresAt).toISOString() },
      },
    ],
  })
}

/** The first of the names that is no role; undefined when all are. */
export async function firstUnknownRole(query: Query, roles: readonly string[]): Promise<string | undefined> {
  if (roles.length === 0) return undefined
  const rows = await query
    .selectFrom('roles')
    .select('name')
    .where('name', 'in', [...roles])
    .execute()
  const known = new Set(rows.map(({ name }) => name))
  return roles.find((role) => !known.has(role))
}
