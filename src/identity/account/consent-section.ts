/**
 * What has this person consented to, for which client, and until when?
 * Stops: a consent from outliving its use unseen.
 * Trusts: the desk's list. Fails with it.
 */
import { foreignName, moment } from '../pages/words.ts'
import { html, type Html } from '../pages/html.ts'
import type { DeskConsent } from '../remedies/desk.ts'
import { button, entry, section, type Shown } from './shown.ts'

function entryOf({ call }: Shown, { id, purpose, clientName, givenAt, expiresAt }: DeskConsent): Html {
  return entry({
    title: foreignName(purpose),
    facts: [html`For ${foreignName(clientName)}`, html`Given ${moment(givenAt)}, kept until ${moment(expiresAt)}`],
    action: button(call, { to: '/account/consents', label: 'Take back', about: foreignName(purpose), fields: { id } }),
  })
}

export function consentSection(shown: Shown, consents: readonly DeskConsent[]): Html {
  return section({
    id: 'consents',
    heading: 'Consents',
    lead: 'Purposes that you agreed to, each for one client. One that you take back is asked for again.',
    entries: consents.map((consent) => entryOf(shown, consent)),
    none: 'You have consented to nothing.',
  })
}
