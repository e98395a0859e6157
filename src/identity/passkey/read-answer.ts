/**
 * What did the page's script put into the form? The answer of an authenticator, as JSON, and the sealed state.
 * Stops: an answer that two readers would read differently.
 * Trusts: nothing. Fails: what is not whole is no answer.
 */
import { readStrictObject } from '#protocol'
import type { Fields } from '../pages/form.ts'
import { type AssertionAnswer, assertionAnswer, type RegistrationAnswer, registrationAnswer } from './answers.ts'

interface Sent<Answer> {
  readonly state: string
  /** Undefined when what was sent is none. */
  readonly answer: Answer | undefined
}

function jsonOf(fields: Fields): unknown {
  return readStrictObject(fields.get('answer') ?? '')
}

/** Of `navigator.credentials.get()`. */
export function readAssertion(fields: Fields): Sent<AssertionAnswer> {
  return { state: fields.get('state') ?? '', answer: assertionAnswer.safeParse(jsonOf(fields)).data }
}

/** Of `navigator.credentials.create()`. */
export function readRegistration(fields: Fields): Sent<RegistrationAnswer> {
  return { state: fields.get('state') ?? '', answer: registrationAnswer.safeParse(jsonOf(fields)).data }
}
