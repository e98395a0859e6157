/**
 * Is it still they? A signed-in person proves password and code once more, before something is changed.
 * Stops a stolen session from changing what its person signs in with; guesses count as at sign-in.
 * Trusts the prover and the throttle. Fails closed: one refusal for all that is wrong, and nothing is changed.
 * @see ASVS 7.5.1
 */
import type { EntryFields, EventDefinition } from '#audit'
import { type Factor, type Principal, type Refusal, isRefusal, refuse } from '#kernel'
import type { Parts, Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import {
  type Proof,
  type ProvablePerson,
  type Prover,
  findProvable,
  spendCode,
  whyNot,
} from '../sign-in/prove-factors.ts'
import type { Throttle, Turn } from '../sign-in/throttle.ts'
import { signInBehind } from '../terminals/sign-in-behind.ts'

export interface Proved {
  readonly person: ProvablePerson
  readonly proof: Proof
  readonly turn: Turn
}

export interface Typed {
  readonly principal: Principal
  readonly password: string
  readonly code?: string | undefined
  /** For one call: whoever has no password, because a provider says who they are, proves their code alone. */
  readonly isForOneCall?: boolean
}

export type Tools = Parts & { readonly throttle: Throttle; readonly prover: Prover }

/** Proves the factors and makes ready what is to be written, both inside the gate. */
export async function proveAgain<T>(
  { database, settings, gate, throttle, prover }: Tools,
  typed: Typed,
  make: () => Promise<T>,
): Promise<(Proved & { made: T }) | Refusal> {
  return gate.run(async () => {
    const person = await findProvable(database.query, { id: typed.principal.id })
    const source = `signed in as ${typed.principal.id}`
    const attempt = { account: typed.principal.name, source, personId: typed.principal.id, isSignedIn: true }
    const turn = await throttle.take(attempt)
    if (isRefusal(turn)) return turn
    const typedProof = await prover.prove(person, typed)
    const isCodeAlone = typed.isForOneCall === true && person?.passwordHash === null
    const proof = isCodeAlone ? { ...typedProof, isPasswordRight: true } : typedProof
    const secondFactor = isCodeAlone ? 'required' : settings.secondFactor
    const reason = whyNot(person, proof, { secondFactor, streak: turn.streak })
    if (person === undefined || reason !== undefined) return refuse(refusals.proofRefused, { detail: { reason } })
    return { person, proof, turn, made: await make() }
  })
}

export interface ProvedChange<T> {
  readonly principal: Principal
  readonly proved: Proved
  change(transaction: Query, nowMs: number, factors: readonly Factor[]): Promise<T | Refusal>
  tell(result: T): readonly [EventDefinition, EntryFields] | undefined
}

/** Spends the code and makes the change, if the person is still who was proved. */
export function applyProved<T>(
  parts: Parts,
  { principal, proved: { person, proof, turn }, change, tell }: ProvedChange<T>,
): Promise<T | Refusal> {
  return recordChange<T>(parts, {
    async work(transaction) {
      const fresh = await findProvable(transaction, { id: person.id })
      if ((await signInBehind(transaction, principal)) === undefined) return refuse(refusals.sessionInvalid)
      const isSame = fresh?.status === 'active' && fresh.passwordHash === person.passwordHash
      const proved = isSame && (await spendCode(transaction, person, proof, parts.clock.now()))
      if (!proved) return refuse(refusals.proofRefused, { detail: { reason: 'code-used' } })
      await turn.settle(transaction)
      const factors = person.passwordHash === null ? proved.filter((factor) => factor !== 'password') : proved
      return change(transaction, parts.clock.now(), factors)
    },
    tell,
  })
}
