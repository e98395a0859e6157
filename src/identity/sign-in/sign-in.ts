/**
 * Who is signing in? Name, password and code together, one answer for all that is wrong.
 * Stops guessing (throttle), enumeration (same work for every name), replay (codes are spent), floods (gate).
 * Trusts the throttle, the prover and the ledger. Fails closed: a session exists only with its entry in the ledger.
 * @see ASVS 6.3; NIST SP 800-63B-4, AAL2
 */
import { type Principal, type Refusal, isRefusal, refuse } from '#kernel'
import { sourceOf } from './addresses.ts'
import { signInRefused } from '../events.ts'
import { canonicalName } from '../names.ts'
import { addNotice } from '../notices/notices.ts'
import type { Parts } from '../parts.ts'
import { admitPerson } from './admit-person.ts'
import {
  type Proof,
  type ProvablePerson,
  type Prover,
  createProver,
  findProvable,
  spendCode,
  whyNot,
} from './prove-factors.ts'
import { refusals } from '../refusals.ts'
import type { SessionView } from '../credentials/sessions.ts'
import { type Throttle, type Turn, createThrottle } from './throttle.ts'

export interface SignInRequest {
  readonly name: string
  readonly password: string
  /** Six digits of the authenticator, or a recovery code. */
  readonly code?: string | undefined
  /** Of the connection. */
  readonly address: string
  readonly agent?: string | undefined
}

export interface SignedIn {
  /** `css_…`: shown once. */
  readonly token: string
  readonly session: SessionView
  readonly principal: Principal
}

interface Judged {
  readonly person: ProvablePerson | undefined
  readonly proof: Proof
  readonly turn: Turn
  readonly reason: string | undefined
}

type Tools = Parts & { readonly throttle: Throttle; readonly prover: Prover }

async function judge(
  { database, settings, throttle, prover }: Tools,
  request: SignInRequest,
): Promise<Judged | Refusal> {
  const name = canonicalName(request.name)
  const source = sourceOf(request.address)
  // INVARIANT: from here to the refusal every name takes the same look-ups, writes and computations.
  const person = await findProvable(database.query, { name: name ?? '' })
  const turn = await throttle.take({ account: name ?? '', source, personId: person?.id })
  if (isRefusal(turn)) return person ? { ...turn, detail: { person: person.id } } : turn
  const proof = await prover.prove(person, request)
  return { person, proof, turn, reason: whyNot(person, proof, { ...settings, streak: turn.streak }) }
}

/** Spends the code and makes the session, if the person is still who was judged. */
function grant(
  parts: Parts,
  { address, agent }: SignInRequest,
  { person, proof, turn }: Judged & { person: ProvablePerson },
): Promise<SignedIn | Refusal> {
  return admitPerson(parts, {
    personId: person.id,
    factors: [],
    address,
    agent,
    async within(transaction, nowMs) {
      const fresh = await findProvable(transaction, { id: person.id })
      const isSame = fresh?.passwordHash === person.passwordHash && fresh.totp?.id === person.totp?.id
      if (!isSame) return refuse(refusals.signInRefused, { detail: { reason: 'changed-meanwhile' } })
      const proved = await spendCode(transaction, person, proof, nowMs)
      if (!proved) return refuse(refusals.signInRefused, { detail: { reason: 'code-used' } })
      if (proved.includes('recovery-code')) {
        await addNotice(transaction, { personId: person.id, kind: 'recovery-code-used', nowMs, details: { address } })
      }
      await turn.settle(transaction)
      return proved
    },
  })
}

export function createSignIn(parts: Parts) {
  const { ledger, gate } = parts
  const tools: Tools = { ...parts, throttle: createThrottle(parts), prover: createProver(parts) }

  async function record(request: SignInRequest, refusal: Refusal, person?: ProvablePerson): Promise<Refusal> {
    // WHY: an unknown name is left out: people type passwords into the wrong field.
    await ledger.append(signInRefused, {
      ...(person ? { principal: { id: person.id, name: person.name } } : {}),
      address: request.address,
      outcome: 'refused',
      refusal: refusal.code,
      details: { ...refusal.detail },
    })
    return refusal
  }

  /**
   * A new session, or one refusal whatever was wrong: `identity.sign-in-refused`; with a time to come back
   * `identity.sign-in-throttled` or `identity.busy`. Each answer is in the ledger before it is given.
   * @throws Fault `audit.ledger-unavailable`, with no session made and no code spent
   */
  return async function signIn(request: SignInRequest): Promise<SignedIn | Refusal> {
    const judged = await gate.run(() => judge(tools, request))
    if (isRefusal(judged)) return record(request, judged)
    const { person, reason } = judged
    if (person === undefined || reason !== undefined) {
      return record(request, refuse(refusals.signInRefused, { detail: { reason } }), person)
    }
    const granted = await grant(parts, request, { ...judged, person })
    return isRefusal(granted) ? record(request, granted, person) : granted
  }
}
