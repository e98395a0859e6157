/**
 * Which programs does this person answer for, and how long do they go on? What ends next comes first.
 * Stops: an agent that goes on in somebody's name without them knowing.
 * Trusts: identity's list. Fails with it.
 * @see docs/decisions/0036-service-accounts.md
 */
import { html, type Html } from '../pages/html.ts'
import { foreignName, moment } from '../pages/words.ts'
import type { ServiceAccountView } from '../service-accounts/read-accounts.ts'
import { button, entry, section, type Shown } from './shown.ts'

const soonDays = 14
const to = '/account/service-accounts'

function badgeOf({ state, daysLeft }: ServiceAccountView): Html | undefined {
  if (state === 'expired') return html` <span class="badge">Ended</span>`
  if (state === 'suspended') return html` <span class="badge">Stopped</span>`
  return daysLeft < soonDays ? html` <span class="badge">Ends soon</span>` : undefined
}

function daysWords({ daysLeft, expiresAt, state }: ServiceAccountView): Html {
  if (state === 'expired') return html`Ended ${moment(expiresAt)}`
  const left = daysLeft === 0 ? 'less than a day' : daysLeft === 1 ? '1 day' : `${daysLeft} days`
  return html`Ends ${moment(expiresAt)}: ${left} left`
}

function entryOf({ call }: Shown, account: ServiceAccountView): Html {
  const { id, name, purpose, roles, state } = account
  const about = foreignName(name)
  const renew = button(call, { to, label: 'Renew', about, fields: { id, do: 'renew' } })
  const end = button(call, { to, label: 'Stop', about, fields: { id, do: 'stop' } })
  return entry({
    title: html`${foreignName(name)}${badgeOf(account)}`,
    facts: [foreignName(purpose), html`Roles: ${roles.length === 0 ? 'none' : roles.join(', ')}`, daysWords(account)],
    action: html`<div class="entry-actions">${renew}${state !== 'suspended' && end}</div>`,
  })
}

export function serviceAccountSection(shown: Shown, accounts: readonly ServiceAccountView[]): Html {
  return section({
    id: 'service-accounts',
    heading: 'Service accounts',
    lead: 'Programs that act here with nobody at a keyboard, and that you answer for. One that you stop is started again by an administrator.',
    entries: accounts.map((account) => entryOf(shown, account)),
    none: 'You answer for no service account.',
  })
}
