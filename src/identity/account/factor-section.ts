/**
 * How can this person sign in? Each way, whether it is set up, and where to change it.
 * Stops: a way in that its person does not know of.
 * Trusts: identity for what is set up. Fails with it.
 */
import type { PersonView } from '../people/people.ts'
import { html, type Html } from '../pages/html.ts'
import { entry, section } from './shown.ts'

/** What other methods add to the list. */
export interface OtherFactors {
  readonly entries: readonly Html[]
}

const fewCodes = 3

function recoveryFact(left: number): Html {
  if (left === 0) return html`<strong>None left.</strong> Without one, a lost authenticator locks you out.`
  return html`${left} left${left <= fewCodes && html`. <strong>Make new ones soon.</strong>`}`
}

export function factorSection(person: PersonView, others: OtherFactors): Html {
  const { isEnrolled, hasSecondFactor, hasAuthenticator, recoveryCodesLeft } = person
  const password = entry({
    title: 'Password',
    facts: [isEnrolled ? 'Set' : 'Not set'],
    action: isEnrolled ? html`<a class="button quiet small" href="/account/password">Change password</a>` : undefined,
  })
  const authenticator = entry({
    title: 'Authenticator app',
    facts: [hasAuthenticator ? 'Set up: six digits that change every 30 seconds' : 'Not set up'],
    action: hasAuthenticator
      ? undefined
      : html`<a class="button quiet small" href="/account/authenticator">Set up an authenticator</a>`,
  })
  const codes = entry({
    title: 'Recovery codes',
    facts: [recoveryFact(recoveryCodesLeft)],
    action: html`<a class="button quiet small" href="/account/recovery-codes">Make new codes</a>`,
  })
  return section({
    id: 'factors',
    heading: 'Ways to sign in',
    lead: 'A change asks for your password and a code again.',
    entries: [password, authenticator, ...(hasSecondFactor ? [codes] : []), ...others.entries],
    none: '',
  })
}
