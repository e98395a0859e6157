/**
 * What can be done with passkeys? Sign in, prove once more, add, rename, remove.
 * Stops what each of its parts stops. Trusts its parts. Fails as they do: closed.
 */
import type { Principal, Refusal } from '#kernel'
import type { Parts } from '../parts.ts'
import { createProver } from '../sign-in/prove-factors.ts'
import type { SignedIn } from '../sign-in/sign-in.ts'
import { createThrottle } from '../sign-in/throttle.ts'
import { type ProofRequest, type ProveFresh, createProveFresh } from '../step-up/prove-fresh.ts'
import { createAsserter } from './assert.ts'
import { ceremonyMs, createCeremonies, type Subject, subjectOf } from './ceremonies.ts'
import { type PasskeyChange, removePasskey, renamePasskey } from './own-passkeys.ts'
import { describeCredentials, listPasskeys, type PasskeyView } from './passkeys.ts'
import { type Asked, beginRegistration, registerPasskey, type RegisterRequest } from './register-passkey.ts'
import { relyingParty } from './relying-party.ts'
import { type PasskeySignIn, signInWithPasskey } from './sign-in-with-passkey.ts'

export interface Passkeys {
  /** Asks whoever is there, without a name. Costs the same for everybody and writes nothing. */
  beginSignIn(binding: string): Asked
  /** A session with the factor `passkey`, or one refusal whatever was wrong. */
  signIn(request: PasskeySignIn): Promise<SignedIn | Refusal>
  /** Asks a signed-in person for one of their passkeys, for `proveFresh`. */
  beginProof(by: { readonly principal: Principal; readonly binding: string }): Promise<Asked>
  /** Asks for a new passkey, after a fresh proof. */
  beginRegistration(request: ProofRequest): Promise<Asked | Refusal>
  register(request: RegisterRequest): Promise<PasskeyView | Refusal>
  /** In the order in which they were added. */
  list(personId: string): Promise<PasskeyView[]>
  rename(request: PasskeyChange & { readonly name: string }): Promise<{ readonly name: string } | Refusal>
  /** Ends the person's other sessions. Never the last factor. */
  remove(request: PasskeyChange): Promise<{ readonly endedSessions: number } | Refusal>
}

/** Passkeys, and the fresh proof that they share with passwords. */
export function createPasskeys(parts: Parts): { readonly passkeys: Passkeys; readonly proveFresh: ProveFresh } {
  const { query } = parts.database
  const ceremonies = createCeremonies(parts)
  const asserter = createAsserter(parts, ceremonies)
  const proving = { ...parts, asserter, throttle: createThrottle(parts), prover: createProver(parts) }
  const tools = { ...proving, ceremonies, proveFresh: createProveFresh(proving) }

  function ask(subject: Subject, allowCredentials: readonly unknown[] = []): Asked {
    const { challenge, state } = ceremonies.open(subject)
    const { id: rpId } = relyingParty(parts)
    const options = { challenge, rpId, allowCredentials, timeout: ceremonyMs, userVerification: 'required' }
    return { state, options }
  }

  return {
    proveFresh: tools.proveFresh,
    passkeys: {
      beginSignIn: (binding) => ask({ purpose: 'sign-in', binding }),
      signIn: (request) => signInWithPasskey(tools, request),
      beginProof: async (by) => ask(subjectOf('proof', by), await describeCredentials(query, by.principal.id)),
      beginRegistration: (request) => beginRegistration(tools, request),
      register: (request) => registerPasskey(tools, request),
      list: (personId) => listPasskeys(query, personId),
      rename: (request) => renamePasskey(tools, request),
      remove: (request) => removePasskey(tools, request),
    },
  }
}
