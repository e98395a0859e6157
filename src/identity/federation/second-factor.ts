/**
 * `/sso/<provider>/second-factor`: can whoever the provider named prove a second factor of their own?
 * Stops: guessing (the throttle of every sign-in counts), a code used twice, the step of another browser.
 * Trusts: what was kept, sealed, of the provider's answer. Fails: with the same words for every wrong code.
 * @see ASVS 6.3.3, 6.3.4, 6.5.1
 */
import { type Factor, type Refusal, isRefusal, refuse } from '#kernel'
import { z } from 'zod'
import { signInRefused } from '../events.ts'
import { html } from '../pages/html.ts'
import { codeField, panel, sendOn, sendPage } from '../pages/page.ts'
import { refusalHeaders, refusalWords } from '../pages/problem-page.ts'
import type { Query } from '../parts.ts'
import { refusals } from '../refusals.ts'
import { sourceOf } from '../sign-in/addresses.ts'
import {
  type Proof,
  type ProvablePerson,
  createProver,
  findProvable,
  spendCode,
  whyNot,
} from '../sign-in/prove-factors.ts'
import { type Turn, createThrottle } from '../sign-in/throttle.ts'
import { admit } from './admit.ts'
import { federationRefusals } from './refusals.ts'
import { takeForm } from './take-form.ts'
import { type FederationParts, type Trip, browserOf, pathOf, queryOf, refuseSignIn } from './trip.ts'

const asserted = z.strictObject({
  subject: z.string(),
  sid: z.string().optional(),
  issuedAt: z.number(),
  hasSecondFactor: z.boolean(),
  roles: z.array(z.string()),
  names: z.array(z.string()),
  displayName: z.string().optional(),
  known: z.strictObject({ oid: z.string().optional(), email: z.string().optional() }),
})
const shape = z.strictObject({
  personId: z.string(),
  asserted: asserted.transform((read) => ({ ...read, sid: read.sid, displayName: read.displayName })),
  idToken: z.string(),
  next: z.string().optional(),
})
type Kept = z.infer<typeof shape>

interface Judged {
  readonly person: ProvablePerson
  readonly proof: Proof
  readonly turn: Turn
}

function show(parts: FederationParts, { req, res, provider }: Trip, handle: string, refusal?: Refusal): void {
  const path = pathOf(provider.name, 'second-factor')
  sendPage(res, {
    status: refusal?.status ?? 200,
    title: 'Second factor',
    isForClient: true,
    headers: refusal === undefined ? {} : refusalHeaders(refusal),
    body: panel(
      'Your second factor',
      `${provider.title} has said who you are, but not that you proved it with a second factor.`,
      html`<form method="post" action="${path}">
        ${parts.forms.field({ req, res }, { path, session: '' })}<input type="hidden" name="step" value="${handle}" />
        ${refusal !== undefined && html`<p class="form-error" id="code-error" role="alert">${refusalWords(refusal)}</p>`}
        ${codeField({ isRequired: true, describedBy: refusal && 'code-error', more: html` autofocus` })}
        <p class="actions"><button type="submit" class="primary">Sign in</button></p>
      </form>`,
    ),
  })
}

function createJudge(parts: FederationParts) {
  const [throttle, prover] = [createThrottle(parts), createProver(parts)]
  return (kept: Kept, code: string, address: string): Promise<Judged | Refusal> =>
    parts.gate.run(async () => {
      const person = await findProvable(parts.database.query, { id: kept.personId })
      if (person === undefined) return refuse(refusals.signInRefused, { detail: { reason: 'unknown-name' } })
      const turn = await throttle.take({ account: person.name, source: sourceOf(address), personId: person.id })
      if (isRefusal(turn)) return turn
      const proof = await prover.prove(person, { password: '', code })
      // WHY: the provider's word stands where a password would.
      const rules = { secondFactor: 'required', streak: turn.streak } as const
      const reason = whyNot(person, { ...proof, isPasswordRight: true }, rules)
      return reason === undefined ? { person, proof, turn } : refuse(refusals.signInRefused, { detail: { reason } })
    })
}

async function spend(parts: FederationParts, transaction: Query, judged: Judged): Promise<Refusal | readonly Factor[]> {
  const { person, proof, turn } = judged
  const fresh = await findProvable(transaction, { id: person.id })
  const isSame = fresh?.totp?.id === person.totp?.id
  const proved = isSame ? await spendCode(transaction, person, proof, parts.clock.now()) : undefined
  if (proved === undefined) return refuse(refusals.signInRefused, { detail: { reason: 'code-used' } })
  await turn.settle(transaction)
  return proved.filter((factor) => factor !== 'password')
}

function unknownAttempt(parts: FederationParts, trip: Trip): Promise<void> {
  const detail = { reason: 'attempt-unknown', step: 'second-factor' }
  return refuseSignIn(parts, trip, refuse(federationRefusals.attemptUnknown, { detail }))
}

function boundOf(parts: FederationParts, { req, provider }: Trip) {
  return { provider: provider.name, step: 'second-factor', browser: browserOf(parts, req) ?? '' } as const
}

async function sayWrong(
  parts: FederationParts,
  trip: Trip,
  handle: string,
  kept: Kept,
  refusal: Refusal,
): Promise<void> {
  await parts.ledger.append(signInRefused, {
    address: trip.visit.address,
    outcome: 'refused',
    refusal: refusal.code,
    details: { provider: trip.provider.name, person: kept.personId, step: 'second-factor', ...refusal.detail },
  })
  show(parts, trip, handle, refusal)
}

/** Answers the page and its form. */
export function createSecondFactor(parts: FederationParts) {
  const judge = createJudge(parts)

  async function post(trip: Trip): Promise<void> {
    const { req, res, visit, provider } = trip
    const fields = await takeForm(parts, trip)
    if (fields === undefined) return
    const handle = fields.get('step') ?? ''
    const looked = await parts.attempts.look(handle, boundOf(parts, trip))
    if (looked === undefined) return unknownAttempt(parts, trip)
    const kept = shape.parse(looked)
    const judged = await judge(kept, fields.get('code') ?? '', visit.address)
    if (isRefusal(judged)) return sayWrong(parts, trip, handle, kept, judged)
    const signedIn = await admit(parts, {
      provider,
      answered: kept,
      from: { address: visit.address, agent: req.headers['user-agent'] },
      async spend(transaction) {
        const taken = await parts.attempts.take(transaction, handle, boundOf(parts, trip))
        if (taken === undefined) return refuse(refusals.signInRefused, { detail: { reason: 'attempt-used' } })
        return spend(parts, transaction, judged)
      },
    })
    if (isRefusal(signedIn)) return sayWrong(parts, trip, handle, kept, signedIn)
    await parts.browser.start(res, req, signedIn)
    sendOn(res, kept.next ?? '/account', true)
  }

  return async (trip: Trip): Promise<void> => {
    if (trip.req.method === 'POST') return post(trip)
    const handle = queryOf(trip.req).get('step') ?? ''
    const kept = await parts.attempts.look(handle, boundOf(parts, trip))
    return kept === undefined ? unknownAttempt(parts, trip) : show(parts, trip, handle)
  }
}
