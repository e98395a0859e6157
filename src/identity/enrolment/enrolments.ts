/**
 * How does a person get a password and a second factor? In three steps behind a one-use link: begin, choose, finish.
 * Stops an enrolment from being finished twice, by two people, or without the authenticator that was shown.
 * Trusts the link. Fails closed: whatever does not hold is `identity.enrolment-invalid`, and nothing was made.
 * @see ASVS 6.4.1; NIST SP 800-63B-4, section 4.1
 */
import { isRefusal, type Refusal, refuse } from '#kernel'
import { type EnrolmentDraft, sealDraft } from './draft.ts'
import { type Enrolled, type FinishRequest, finish } from './finish.ts'
import {
  type EnrolmentLink,
  type Invitation,
  type OpenEnrolment,
  ensureSetupLink,
  findOpenEnrolment,
  invite,
} from './links.ts'
import { enrolmentRefused } from '../events.ts'
import { passwordLength, refusePassword } from '../methods/password/rules.ts'
import { createTotpSecret, describeTotp } from '../methods/totp/totp.ts'
import { canonicalName, isFreeForPeople, readLine } from '../names.ts'
import type { Database } from '#platform/database'
import type { Parts } from '../parts.ts'
import { refusals } from '../refusals.ts'

export interface BeginRequest {
  readonly token: string
  readonly address: string
}

export interface Begun {
  readonly kind: 'setup' | 'invitation'
  /** Of the invited person; the first admin chooses one. */
  readonly name?: string
  readonly secondFactor: 'required' | 'optional'
}

export interface ChooseRequest {
  readonly token: string
  /** May be left out by an invited person, whose name is given. */
  readonly name?: string | undefined
  readonly displayName?: string | undefined
  readonly password: string
  readonly address: string
}

export interface Chosen {
  /** For the QR code. */
  readonly otpauthUri: string
  /** The same secret to type: base32 in groups of four. */
  readonly secret: string
}

export interface Enrolments {
  ensureSetupLink(): Promise<EnrolmentLink | undefined>
  invite(invitation: Invitation): Promise<EnrolmentLink | Refusal>
  /** What the page asks for. Changes nothing. */
  begin(request: BeginRequest): Promise<Begun | Refusal>
  /** Keeps name and password sealed and shows a new authenticator secret. The last choice counts. */
  choose(request: ChooseRequest): Promise<Chosen | Refusal>
  /** Confirms the authenticator with one code, and makes person, factor, recovery codes and roles at once. */
  finish(request: FinishRequest): Promise<Enrolled | Refusal>
}

async function readNames(
  database: Database,
  { name, displayName }: ChooseRequest,
  { person }: OpenEnrolment,
): Promise<{ name: string; displayName: string } | Refusal> {
  const typed = name ?? person?.name ?? ''
  const canonical = canonicalName(typed)
  const isAllowed = canonical !== undefined && isFreeForPeople(canonical) && (!person || person.name === canonical)
  if (!isAllowed) return refuse(refusals.nameInvalid, { names: { name: typed } })
  const line = readLine(displayName ?? person?.displayName ?? canonical)
  if (line === undefined) return refuse(refusals.displayNameInvalid)
  if (person) return { name: canonical, displayName: line }
  const taken = await database.query.selectFrom('people').select('id').where('name', '=', canonical).executeTakeFirst()
  return taken ? refuse(refusals.nameTaken, { names: { name: canonical } }) : { name: canonical, displayName: line }
}

async function begin({ database, clock, settings }: Parts, { token }: BeginRequest): Promise<Begun | Refusal> {
  const open = await findOpenEnrolment(database.query, token, clock.now())
  if (!open) return refuse(refusals.enrolmentInvalid)
  const name = open.person && { name: open.person.name }
  return { kind: open.kind, ...name, secondFactor: settings.secondFactor }
}

async function choose(parts: Parts, request: ChooseRequest): Promise<Chosen | Refusal> {
  const { database, clock, gate, argon2id } = parts
  const open = await findOpenEnrolment(database.query, request.token, clock.now())
  if (!open) return refuse(refusals.enrolmentInvalid)
  const names = await readNames(database, request, open)
  if (isRefusal(names)) return names
  const circumstances = { hasSecondFactor: true, words: [names.name, names.displayName] }
  const bad = refusePassword(request.password, circumstances)
  if (bad) return bad
  const passwordHash = await gate.run(() => argon2id.hash(request.password))
  if (typeof passwordHash !== 'string') return passwordHash
  const secret = createTotpSecret()
  const draft: EnrolmentDraft = {
    ...names,
    passwordHash,
    passwordLength: passwordLength(request.password),
    totpSecret: Buffer.from(secret).toString('base64url'),
  }
  return (await keep(parts, open.id, draft)) ? describeTotp(names.name, secret) : refuse(refusals.enrolmentInvalid)
}

function keep({ database, clock, sealer }: Parts, enrolmentId: string, draft: EnrolmentDraft): Promise<boolean> {
  const sealed = sealDraft(sealer, enrolmentId, draft)
  return database.transaction(async (transaction) => {
    const kept = await transaction
      .updateTable('enrolments')
      .set({ sealed_draft: sealed })
      .where('id', '=', enrolmentId)
      .where('used_at', 'is', null)
      .where('expires_at', '>', clock.now())
      .executeTakeFirst()
    return kept.numUpdatedRows === 1n
  })
}

export function createEnrolments(parts: Parts): Enrolments {
  async function recorded<T>(address: string, step: string, attempt: Promise<T | Refusal>): Promise<T | Refusal> {
    const answer = await attempt
    if (!isRefusal(answer)) return answer
    const details = { step, ...answer.detail }
    await parts.ledger.append(enrolmentRefused, { address, outcome: 'refused', refusal: answer.code, details })
    return answer
  }

  return {
    ensureSetupLink: () => ensureSetupLink(parts),
    invite: (invitation) => invite(parts, invitation),
    begin: (request) => recorded(request.address, 'begin', begin(parts, request)),
    choose: (request) => recorded(request.address, 'choose', choose(parts, request)),
    finish: (request) => recorded(request.address, 'finish', finish(parts, request)),
  }
}
