/**
 * What happened to this account? Sign-ins from elsewhere and changes of factors, what was not seen yet first.
 * Stops: a stranger's sign-in or change from going unnoticed.
 * Trusts: the notices, which are written with what they tell of. Fails with them.
 * @see ASVS 6.3.5, 6.3.7
 */
import type { Notice, NoticeKind } from '../notices/notices.ts'
import { html, type Html } from '../pages/html.ts'
import { agentWords, foreignName, moment } from '../pages/words.ts'
import { button, entry, section, type Shown } from './shown.ts'

const mostShown = 10

const words: Readonly<Record<NoticeKind, string>> = {
  'sign-in-from-elsewhere': 'Somebody signed in as you from a place or program you had not used',
  'authenticator-added': 'An authenticator was set up',
  'passkey-added': 'A passkey was added',
  'passkey-renamed': 'A passkey was renamed',
  'passkey-removed': 'A passkey was removed',
  'passkey-cloned': 'A passkey may have been copied and was refused',
  'factor-revoked': 'A way to sign in was revoked',
  'password-changed': 'Your password was changed',
  'recovery-codes-replaced': 'Your recovery codes were replaced',
  'recovery-code-used': 'A recovery code was used',
  'reset-started': 'Somebody asked to reset your sign-in',
  'reset-finished': 'Your sign-in was reset',
  'service-account-added': 'A service account was made in your name',
  'service-account-renewed': 'The end of a service account of yours was moved',
  'service-account-assigned': 'A service account has another owner',
  'service-account-suspended': 'A service account of yours was stopped',
  'service-account-resumed': 'A service account of yours may act again',
  'service-account-removed': 'A service account of yours was removed',
  'approval-asked': 'Calls wait for your approval: see them with `castellan approval list`',
  'approval-given': 'A call of yours was approved',
  'approval-denied': 'A call of yours was denied',
  'review-asked': 'You are asked who still needs access: see `castellan review campaign show`',
  'review-due': 'A review of access is due, and items of it are open',
}

function detail({ details }: Notice): Html | undefined {
  const { address, agent, name, owner, by } = details
  const told = [
    ...(typeof name === 'string' ? [html`: ${foreignName(name)}`] : []),
    ...(typeof owner === 'string' ? [html`, owned by ${foreignName(owner)}`] : []),
    ...(typeof by === 'string' ? [html`, by ${foreignName(by)}`] : []),
    ...(typeof agent === 'string' ? [html`, with ${agentWords(agent)}`] : []),
    ...(typeof address === 'string' ? [html`, from <code>${foreignName(address)}</code>`] : []),
  ]
  return told.length === 0 ? undefined : html`${told}`
}

function entryOf(notice: Notice): Html {
  return entry({
    title: html`${words[notice.kind]}${!notice.isRead && html` <span class="badge">New</span>`}`,
    facts: [html`${moment(notice.createdAt)}${detail(notice)}`],
  })
}

export function noticeSection({ call }: Shown, notices: readonly Notice[]): Html {
  const hasUnread = notices.some(({ isRead }) => !isRead)
  return section(
    {
      id: 'notices',
      heading: 'What happened',
      lead: 'Was it not you? End all other sessions, change your password, and tell an administrator.',
      entries: notices.slice(0, mostShown).map(entryOf),
      none: 'Nothing that you would need to know of.',
    },
    hasUnread && button(call, { to: '/account/notices', label: 'It was me', fields: {} }),
  )
}
