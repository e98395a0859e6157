/**
 * Who is signing in? Name, password and code together, one answer for all that is wrong.
 * Stops guessing (throttle), enumeration (same work for every name), replay (codes are spent), floods (gate).
 * Trusts the throttle, the prover and the ledger. Fails closed: a session exists only with its entry in the ledger.
 * @see ASVS 6.3; NIST SP 800-63B-4, AAL2
 */
import { type Principal, type Refusal, isRefusal, refuse } from '#kernel'
import { sourceOf } from './addresses.ts'
import { sessionStarted, signInRefused } from '../events.ts'
import { canonicalName, readAgent } from '../names.ts'
import type { Parts } from '../parts.ts'
import { principalOf, rolesOf } from '../credentials/principals.ts'
import { type Proof, type ProvablePerson, createProver, findProvable, spendCode, whyNot } from './prove-factors.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { type SessionView, draftSession } from '../credentials/sessions.ts'
import { type Turn, createThrottle } from './throttle.ts'

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

export function createSignIn(parts: Parts) {
  const { database, ledger, clock, settings, gate } = parts
  const throttle = createThrottle(parts)
  const prover = createProver(parts)

  async function judge(request: SignInRequest): Promise<Judged | Refusal> {
    const name = canonicalName(request.name)
    const source = sourceOf(request.address)
    // INVARIANT: from here to the refusal every name takes the same look-ups, writes and computations.
    const person = await findProvable(database.query, { name: name ?? '' })
    const turn = await throttle.take({ account: name ?? '', source, personId: person?.id })
    if (isRefusal(turn)) return person ? { ...turn, detail: { person: person.id } } : turn
    const proof = await prover.prove(person, request)
    return { person, proof, turn, reason: whyNot(person, proof, { ...settings, streak: turn.streak }) }
  }

  function grant(request: SignInRequest, person: ProvablePerson, { proof, turn }: Judged): Promise<SignedIn | Refusal> {
    const agent = readAgent(request.agent)
    const draft = draftSession(parts, { personId: person.id, address: request.address, agent })
    return recordChange<SignedIn>(parts, {
      async work(transaction) {
        const fresh = await findProvable(transaction, { id: person.id })
        const isSame =
          fresh?.status === 'active' && fresh.passwordHash === person.passwordHash && fresh.totp?.id === person.totp?.id
        if (!isSame) return refuse(refusals.signInRefused, { detail: { reason: 'changed-meanwhile' } })
        const proved = await spendCode(transaction, person, proof, clock.now())
        if (!proved) return refuse(refusals.signInRefused, { detail: { reason: 'code-used' } })
        const session = await draft.insert(transaction, proved)
        await turn.settle(transaction)
        const row = {
          ...person,
          person_id: person.id,
          id: draft.id,
          factors: JSON.stringify(proved),
          expires_at: session.expiresAt,
        }
        const principal = principalOf('session', row, await rolesOf(transaction, person.id))
        return { token: draft.token, session, principal }
      },
      tell: ({ session, principal }) => [
        sessionStarted,
        {
          principal,
          address: request.address,
          outcome: 'succeeded',
          details: { credential: session.id, factors: session.factors, agent },
        },
      ],
    })
  }

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
    const judged = await gate.run(() => judge(request))
    if (isRefusal(judged)) return record(request, judged)
    const { person, reason } = judged
    if (person === undefined || reason !== undefined) {
      return record(request, refuse(refusals.signInRefused, { detail: { reason } }), person)
    }
    const granted = await grant(request, person, judged)
    return isRefusal(granted) ? record(request, granted, person) : granted
  }
}
