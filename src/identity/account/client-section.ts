/**
 * Which clients may act for this person, where, and until when?
 * Stops: consent that is given once and never seen again.
 * Trusts: the authorization server's list of grants. Fails with it.
 * @see ASVS 10.7.3
 */
import type { GrantView } from '../oauth/grants.ts'
import { resourceWords } from '../pages/asked.ts'
import { html, type Html } from '../pages/html.ts'
import { foreignName, moment } from '../pages/words.ts'
import { button, entry, section, type Shown } from './shown.ts'

function entryOf({ call, publicUrl }: Shown, grant: GrantView): Html {
  const { id, clientName, resource, createdAt, expiresAt, scopes } = grant
  return entry({
    title: foreignName(clientName),
    facts: [
      html`For ${resourceWords(resource, publicUrl, scopes)}: ${scopes.map((scope) => html`<code>${scope}</code> `)}`,
      html`Allowed ${moment(createdAt)}, ends by itself ${moment(expiresAt)}`,
    ],
    action: button(call, {
      to: '/account/clients',
      label: 'Take back',
      about: foreignName(clientName),
      fields: { id },
    }),
  })
}

export function clientSection(shown: Shown, grants: readonly GrantView[]): Html {
  return section({
    id: 'clients',
    heading: 'Clients',
    lead: 'Programs and devices that you let act for you. What you take back ends at once, with all its tokens.',
    entries: grants.map((grant) => entryOf(shown, grant)),
    none: 'You have let no client act for you.',
  })
}
