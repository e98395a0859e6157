/**
 * Who signed in as this person, and who tried to? The last times, sign-ins that worked and attempts that did not.
 * Stops: attempts at an account from going unseen by its person.
 * Trusts: its list. Fails with it.
 * @see ASVS 6.3.5
 */
import { html, type Html } from '../pages/html.ts'
import { agentWords, factorList, foreignName, moment } from '../pages/words.ts'
import { entry, section } from './shown.ts'
import type { SignInSeen } from './sign-ins.ts'

function entryOf({ atMs, address, session }: SignInSeen): Html {
  const from = html`From <code>${foreignName(address)}</code>, ${moment(atMs)}`
  if (session === undefined) return entry({ title: 'An attempt that was refused', facts: [from] })
  const { agent, factors, hasEnded } = session
  return entry({
    title: html`Signed in, ${agentWords(agent)}`,
    facts: [html`${from}, with ${factorList(factors)}${hasEnded && '; ended'}`],
  })
}

export function signInSection(seen: readonly SignInSeen[]): Html {
  return section({
    id: 'sign-ins',
    heading: 'Last sign-ins',
    lead: 'With your name: those that worked, and attempts that were refused.',
    entries: seen.map(entryOf),
    none: 'Nobody has signed in yet.',
  })
}
