/**
 * May this person of another issuer come, and is this the newest that their issuer says of them? A row as anybody's, so
 * that holds, suspension and the ledger know them; entered when the first good token comes.
 * Stops: a suspended person; an older token whose groups a newer one of the same client took back.
 * Trusts: the issuer's order of tokens (`iat`). Fails closed: no entry in the ledger, no person.
 * @see ASVS 6.8.1, 7.4.2, 8.3.2
 */
import { isRefusal } from '#kernel'
import { rememberByRevision } from '#platform/database'
import { rolesOf } from '../credentials/principals.ts'
import { externalClaimsChanged, personRecognised } from './events.ts'
import { readLine } from '../names.ts'
import { type Parts, type Query, castellan } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import type { Verified } from './verified.ts'
import { keysWithdrawn } from './withdrawn-keys.ts'

const mostRemembered = 10_000
const secondMs = 1_000
const slugChars = 24
const nameDigits = 24

export interface Standing {
  readonly name: string
  readonly isActive: boolean
  /** Given here, by hand. */
  readonly granted: readonly string[]
  /** Of the newest claims that this client's tokens told. */
  readonly claimsHash: string
  readonly issuedAt: number
  /** Keys of the issuer that nothing counts of. */
  readonly withdrawnKeys: readonly string[]
}

export interface Standings {
  /** At once when it is known. */
  peek(verified: Verified): Standing | undefined
  /** Enters or updates the person when this token is the newest. @throws Fault when it cannot be recorded */
  get(verified: Verified): Promise<Standing>
}

/** Whether what the token says was taken back by a newer one. */
export function isSuperseded({ claimsHash, issuedAt }: Verified, standing: Standing): boolean {
  return claimsHash !== standing.claimsHash && issuedAt < standing.issuedAt
}

/** Whether the token tells what is not on record. */
export function isNews({ claimsHash, issuedAt }: Verified, standing: Standing): boolean {
  return claimsHash !== standing.claimsHash && issuedAt > standing.issuedAt
}

/** Whether an administrator withdrew the key that signed the token. */
export function isWithdrawn(
  { thumbprint, keyId }: Verified,
  { withdrawnKeys }: Pick<Standing, 'withdrawnKeys'>,
): boolean {
  return withdrawnKeys.includes(thumbprint) || (keyId !== undefined && withdrawnKeys.includes(keyId))
}

/** A name that can be read and that nobody chose: what the issuer calls the person may be anybody's name. */
function nameOf({ name, personId }: Verified): string {
  const slug = (name ?? '')
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, slugChars)
    .replaceAll(/^-|-$/g, '')
  const digits = personId.slice(0, 'ext-'.length + nameDigits)
  return slug === '' ? digits : `${slug}.${digits}`
}

async function enterPerson(query: Query, verified: Verified, nowMs: number): Promise<boolean> {
  const { personId: id } = verified
  const known = await query.selectFrom('people').select('id').where('id', '=', id).executeTakeFirst()
  if (known !== undefined) return false
  const name = nameOf(verified)
  const taken = await query.selectFrom('people').select('id').where('name', '=', name).executeTakeFirst()
  const shown = readLine(verified.name ?? '') ?? verified.subject.slice(0, 100)
  const times = { created_at: nowMs, updated_at: nowMs }
  const person = { id, name: taken === undefined ? name : id, display_name: shown, ...times }
  await query
    .insertInto('people')
    .values({ ...person, status: 'active', password_hash: null })
    .execute()
  return true
}

async function writeClaims(query: Query, verified: Verified, oldestSeconds: number): Promise<void> {
  const { personId, clientId, issuer, subject, claimsHash, issuedAt } = verified
  const rows = query.deleteFrom('external_subjects').where('person_id', '=', personId)
  // WHY: tokens from before are too old to be accepted, so nothing has to be known of them.
  await rows
    .where((where) => where.or([where('client_id', '=', clientId), where('issued_at', '<', oldestSeconds)]))
    .execute()
  const row = { person_id: personId, client_id: clientId, issuer, subject }
  await query
    .insertInto('external_subjects')
    .values({ ...row, claims_hash: claimsHash, issued_at: issuedAt })
    .execute()
}

async function read(query: Query, personId: string, clientId: string): Promise<Standing | undefined> {
  const row = await query
    .selectFrom('people')
    .innerJoin('external_subjects', 'external_subjects.person_id', 'people.id')
    .select(['name', 'status', 'issuer', 'claims_hash', 'issued_at'])
    .where('people.id', '=', personId)
    .where('client_id', '=', clientId)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const granted = await rolesOf(query, personId)
  const withdrawnKeys = await keysWithdrawn(query, row.issuer)
  const { name, status, claims_hash: claimsHash, issued_at: issuedAt } = row
  return { name, isActive: status === 'active', granted, claimsHash, issuedAt: Number(issuedAt), withdrawnKeys }
}

/** For whom nothing is on record. */
const nobody = { name: '', isActive: false, granted: [], claimsHash: '', issuedAt: 0 }

/** @param maxAgeSeconds how old a token of an issuer may be */
export function createStandings(parts: Parts, maxAgeSeconds: (issuer: string) => number): Standings {
  const { database, clock } = parts
  const separator = '\n'
  const keyOf = ({ personId, clientId }: Verified): string => personId + separator + clientId
  const load = async (key: string): Promise<Standing | 'unknown'> => {
    const at = key.indexOf(separator)
    return (await read(database.query, key.slice(0, at), key.slice(at + 1))) ?? 'unknown'
  }
  const remembered = rememberByRevision<string, Standing | 'unknown'>(database, load, { maxEntries: mostRemembered })

  async function enter(verified: Verified): Promise<void> {
    const { personId, clientId, issuer, subject, roles } = verified
    const nowMs = clock.now()
    const oldest = Math.floor(nowMs / secondMs) - maxAgeSeconds(issuer) - 2 * 60
    const outcome = await recordChange<boolean | undefined>(parts, {
      async work(transaction) {
        const before = await read(transaction, personId, clientId)
        if (before !== undefined && !isNews(verified, before)) return undefined
        const isNew = await enterPerson(transaction, verified, nowMs)
        await writeClaims(transaction, verified, oldest)
        return isNew
      },
      tell: (isNew) => {
        if (isNew === undefined) return undefined
        const details = { person: personId, issuer, subject, client: clientId, roles }
        const event = isNew ? personRecognised : externalClaimsChanged
        return [event, { principal: { id: castellan.id, name: castellan.name }, outcome: 'succeeded', details }]
      },
    })
    if (isRefusal(outcome)) throw new Error(outcome.code)
  }

  async function get(verified: Verified): Promise<Standing> {
    const known = await remembered.get(keyOf(verified))
    if (known !== 'unknown' && !isNews(verified, known)) return known
    // INVARIANT: nothing is believed, and nobody entered, by the word of a key that was withdrawn.
    const withdrawnKeys = await keysWithdrawn(database.query, verified.issuer)
    if (isWithdrawn(verified, { withdrawnKeys })) return { ...nobody, withdrawnKeys }
    await enter(verified)
    const entered = await read(database.query, verified.personId, verified.clientId)
    if (entered === undefined) throw new Error('a person that was entered is not there')
    return entered
  }

  return {
    peek(verified) {
      const known = remembered.peek(keyOf(verified))
      return known === undefined || known === 'unknown' || isNews(verified, known) ? undefined : known
    },
    get,
  }
}
