/**
 * Which access tokens did this person mint? By label, never by their bytes, which nobody has.
 * Stops: a token from outliving its use unseen; a page from being a credential.
 * Trusts: identity's list. Fails with it.
 */
import type { AccessTokenView } from '../credentials/token-view.ts'
import { resourceWords } from '../pages/asked.ts'
import { html, type Html } from '../pages/html.ts'
import { foreignName, moment } from '../pages/words.ts'
import { button, entry, section, type Shown } from './shown.ts'

function entryOf({ call, publicUrl }: Shown, { id, label, resource, createdAt, expiresAt }: AccessTokenView): Html {
  return entry({
    title: foreignName(label),
    facts: [
      html`For ${resourceWords(resource, publicUrl)}`,
      html`Minted ${moment(createdAt)}, expires ${moment(expiresAt)}`,
    ],
    action: button(call, { to: '/account/tokens', label: 'Revoke', about: foreignName(label), fields: { id } }),
  })
}

export function tokenSection(shown: Shown, tokens: readonly AccessTokenView[]): Html {
  const open = tokens.filter(({ revokedAt, expiresAt }) => revokedAt === undefined && expiresAt > shown.nowMs)
  return section({
    id: 'tokens',
    heading: 'Access tokens',
    lead: 'Secrets that you minted for clients which cannot sign in by themselves.',
    entries: open.map((token) => entryOf(shown, token)),
    none: 'You have no access token that works.',
  })
}
