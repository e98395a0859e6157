/**
 * Who is signing in with a passkey? Whoever's authenticator signed, its person verified: two factors at once.
 * Stops floods of attempts (throttle per source and passkey, so that nobody is locked out by others), enumeration and
 * replay. Trusts the asserter. Fails closed: a session exists only with its entry in the ledger.
 * @see ASVS 6.3.3; NIST SP 800-63B-4, AAL2
 */
import { type Refusal, isRefusal } from '#kernel'
import { signInRefused } from '../events.ts'
import type { Parts } from '../parts.ts'
import { sourceOf } from '../sign-in/addresses.ts'
import { admitPerson } from '../sign-in/admit-person.ts'
import type { SignedIn } from '../sign-in/sign-in.ts'
import type { Throttle } from '../sign-in/throttle.ts'
import type { Asserter, Presented } from './assert.ts'
import type { KeptPasskey } from './passkeys.ts'

export interface PasskeySignIn extends Presented {
  /** Of the browser. */
  readonly binding: string
  /** Of the connection. */
  readonly address: string
  readonly agent?: string | undefined
}

export interface SignInTools extends Parts {
  readonly throttle: Throttle
  readonly asserter: Asserter
}

async function attempt(
  tools: SignInTools,
  request: PasskeySignIn,
  known: KeptPasskey | undefined,
): Promise<SignedIn | Refusal> {
  const { asserter, throttle } = tools
  const { address, agent, binding, answer } = request
  const source = sourceOf(address)
  const turn = await throttle.take({ account: `passkey ${answer?.id ?? ''}`, source, personId: known?.personId })
  if (isRefusal(turn)) return turn
  const judged = await asserter.judge(request, { purpose: 'sign-in', binding }, known)
  if (isRefusal(judged)) return judged
  const { passkey } = judged
  const admitted = await admitPerson(tools, {
    personId: passkey.personId,
    factors: ['passkey'],
    address,
    agent,
    details: { passkey: passkey.id },
    async within(transaction, nowMs) {
      const refusal = await asserter.accept(transaction, judged, nowMs)
      if (refusal) return refusal
      await turn.settle(transaction)
      return undefined
    },
  })
  if (isRefusal(admitted)) await asserter.noticeClone(admitted, judged, address)
  return admitted
}

/** A new session, or `identity.passkey-refused` whatever was wrong. Each answer is in the ledger before it is given. */
export async function signInWithPasskey(tools: SignInTools, request: PasskeySignIn): Promise<SignedIn | Refusal> {
  const known = await tools.asserter.find(request)
  const answer = await attempt(tools, request, known)
  if (!isRefusal(answer)) return answer
  const { address } = request
  const details = { method: 'passkey', ...answer.detail, ...(known && { person: known.personId }) }
  await tools.ledger.append(signInRefused, { address, outcome: 'refused', refusal: answer.code, details })
  return answer
}
