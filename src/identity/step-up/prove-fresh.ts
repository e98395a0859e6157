/**
 * Has this signed-in person proved a factor at this moment? With password and code, a passkey, or anew at their provider.
 * Stops what a stolen session could do: add, rename or remove what its person signs in with.
 * Trusts the prover and the asserter. Fails closed: whatever does not hold is a refusal, on record.
 * @see ASVS 7.5.1, 7.5.3
 */
import { type Factor, type Principal, type Refusal, isRefusal, refuse } from '#kernel'
import { changeRefused, personProved } from '../events.ts'
import type { Asserter, Presented } from '../passkey/assert.ts'
import { subjectOf } from '../passkey/ceremonies.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { signInBehind } from '../terminals/sign-in-behind.ts'
import { findProvable } from '../sign-in/prove-factors.ts'
import { createProviderProofs } from './provider-proofs.ts'
import { sessionHolds } from './session-holds.ts'
import { type Tools, applyProved, proveAgain } from './prove-again.ts'

/**
 * Password with a code of the authenticator or a recovery code; the answer of a passkey; or what a provider said of a
 * sign-in anew.
 */
export type FreshProof =
  | { readonly password: string; readonly code?: string | undefined }
  | { readonly there: string }
  | Presented

export interface ProofRequest {
  /** From `authenticateSession`. */
  readonly principal: Principal
  readonly proof: FreshProof
  /** Of the browser, or of the session where there is none: what a passkey's challenge was given to. */
  readonly binding: string
  readonly address?: string | undefined
  /** Not for a change of factors: see `Typed`. */
  readonly isForOneCall?: boolean
}

export interface Proven {
  /** Wall-clock milliseconds. */
  readonly provedAt: number
  readonly factors: readonly Factor[]
}

export type ProveFresh = (request: ProofRequest) => Promise<Proven | Refusal>

async function byPasskey(
  tools: Tools & { readonly asserter: Asserter },
  { principal, binding, address }: ProofRequest,
  presented: Presented,
): Promise<Proven | Refusal> {
  const { asserter } = tools
  const known = await asserter.find(presented)
  const judged = await asserter.judge(presented, subjectOf('proof', { principal, binding }), known)
  if (isRefusal(judged)) return refuse(refusals.proofRefused, { detail: judged.detail })
  const proven = await recordChange<Proven>(tools, {
    async work(transaction) {
      if (!(await sessionHolds(transaction, principal))) return refuse(refusals.sessionInvalid)
      const nowMs = tools.clock.now()
      const refusal = await asserter.accept(transaction, judged, nowMs)
      return refusal ?? { provedAt: nowMs, factors: ['passkey'] }
    },
    tell: ({ factors }) => [personProved, { principal, address, outcome: 'succeeded', details: { factors } }],
  })
  if (isRefusal(proven)) await asserter.noticeClone(proven, judged, address)
  return proven
}

async function byPassword(
  tools: Tools,
  { principal, address, isForOneCall = false }: ProofRequest,
  typed: { readonly password: string; readonly code?: string | undefined },
): Promise<Proven | Refusal> {
  const proved = await proveAgain(tools, { principal, isForOneCall, ...typed }, async () => undefined)
  if (isRefusal(proved)) return proved
  return applyProved<Proven>(tools, {
    principal,
    proved,
    change: async (_transaction, provedAt, factors) => ({ provedAt, factors }),
    tell: ({ factors }) => [personProved, { principal, address, outcome: 'succeeded', details: { factors } }],
  })
}

async function byProvider(
  tools: Tools,
  { principal, address, isForOneCall = false }: ProofRequest,
  proof: string,
): Promise<Proven | Refusal> {
  const proofs = createProviderProofs(tools)
  return recordChange<Proven>(tools, {
    async work(transaction) {
      if (!(await sessionHolds(transaction, principal))) return refuse(refusals.sessionInvalid)
      const said = await proofs.take(transaction, proof, principal)
      const unknown = { detail: { reason: 'provider-proof-unknown' } }
      if (said === undefined) return refuse(refusals.proofRefused, unknown)
      const { hasSecondFactor, provedAt } = said
      if (hasSecondFactor) return { provedAt, factors: ['identity-provider', 'identity-provider-mfa'] }
      const person = await findProvable(transaction, { id: principal.id })
      // INVARIANT: who has a second factor proves it; a single factor of a provider stands for nobody's second one.
      const isEnough = !isForOneCall && person?.totp === undefined && person?.hasPasskey === false
      const weak = { detail: { reason: 'provider-showed-no-second-factor' } }
      return isEnough ? { provedAt, factors: ['identity-provider'] } : refuse(refusals.proofRefused, weak)
    },
    tell: ({ factors }) => [personProved, { principal, address, outcome: 'succeeded', details: { factors } }],
  })
}

/** Uses the code or challenge up. Either answer is on record before it is given. */
export function createProveFresh(tools: Tools & { readonly asserter: Asserter }): ProveFresh {
  return async (request) => {
    const { principal, proof, address } = request
    const answer =
      (await signInBehind(tools.database.query, principal)) === undefined
        ? refuse(refusals.sessionInvalid)
        : 'password' in proof
          ? await byPassword(tools, request, proof)
          : 'there' in proof
            ? await byProvider(tools, request, proof.there)
            : await byPasskey(tools, request, proof)
    if (!isRefusal(answer)) return answer
    const fields = { principal, address, outcome: 'refused', refusal: answer.code } as const
    await tools.ledger.append(changeRefused, { ...fields, details: { ...answer.detail } })
    return answer
  }
}
