/**
 * Where is this person signed in? Their sessions that hold, this browser's first.
 * Stops: a forgotten or stolen session from going unseen.
 * Trusts: identity's list. Fails with it.
 * @see ASVS 7.5.2
 */
import type { SessionView } from '../credentials/sessions.ts'
import { html, type Html } from '../pages/html.ts'
import { agentWords, factorList, moment, since } from '../pages/words.ts'
import { button, entry, section, type Shown } from './shown.ts'

function entryOf({ call, nowMs }: Shown, session: SessionView): Html {
  const { id, agent, address, createdAt, lastSeenAt, expiresAt, factors } = session
  const isHere = id === call.principal.credential.id
  const about = html`${agentWords(agent)} at ${address}`
  return entry({
    title: html`${agentWords(agent)}${isHere && html` <span class="badge good">This browser</span>`}`,
    facts: [
      html`From <code>${address}</code>, signed in ${moment(createdAt)} with ${factorList(factors)}`,
      html`Used ${since(lastSeenAt, nowMs)}, ends by itself ${moment(expiresAt)} at the latest`,
    ],
    action: isHere ? undefined : button(call, { to: '/account/sessions', label: 'End', about, fields: { id } }),
  })
}

export function sessionSection(shown: Shown, sessions: readonly SessionView[]): Html {
  const { call } = shown
  const here = call.principal.credential.id
  const sorted = sessions.toSorted((one, other) => Number(other.id === here) - Number(one.id === here))
  return section(
    {
      id: 'sessions',
      heading: 'Sessions',
      lead: 'Browsers and terminals in which you are signed in. End what you do not know.',
      entries: sorted.map((session) => entryOf(shown, session)),
      none: 'There is no session.',
    },
    sessions.length > 1 &&
      button(call, { to: '/account/sessions', label: 'End all other sessions', fields: { all: 'others' } }),
  )
}
