/**
 * `/account`: is my own account safe? What happened to it, how one signs in, and everything that can act for oneself.
 * Stops: sessions, clients and tokens that live on because nobody sees them.
 * Trusts: identity for what there is; it is asked for this person alone.
 * Fails: with the page as a whole; nothing is shown that could not be read.
 * @see ASVS 6.3.5, 6.3.7, 7.5.2, 10.7.3
 */
import type { Clock } from '#kernel'
import type { AccessTokens } from '../credentials/access-tokens.ts'
import type { Sessions } from '../credentials/sessions.ts'
import type { Notices } from '../notices/notices.ts'
import type { Grants } from '../oauth/grants.ts'
import type { People } from '../people/people.ts'
import type { ServiceAccounts } from '../service-accounts/service-accounts.ts'
import type { RemedyDesk } from '../remedies/desk.ts'
import { html, type Html } from '../pages/html.ts'
import { sendPage } from '../pages/page.ts'
import type { PersonalCall, PersonalScreen } from '../pages/screen.ts'
import { foreignName } from '../pages/words.ts'
import { clientSection } from './client-section.ts'
import { consentSection } from './consent-section.ts'
import { doneWords } from './done.ts'
import { factorSection, type OtherFactors } from './factor-section.ts'
import { noticeSection } from './notice-section.ts'
import { serviceAccountSection } from './service-account-section.ts'
import { sessionSection } from './session-section.ts'
import { signInSection } from './sign-in-section.ts'
import type { SignIns } from './sign-ins.ts'
import { tokenSection } from './token-section.ts'

export interface AccountParts {
  readonly clock: Clock
  readonly sessions: Sessions
  readonly tokens: Pick<AccessTokens, 'list' | 'revoke'>
  readonly people: Pick<People, 'find'>
  readonly grants: Pick<Grants, 'list' | 'end'>
  readonly notices: Notices
  readonly serviceAccounts: Pick<ServiceAccounts, 'list' | 'renew' | 'suspend'>
  readonly signIns: SignIns
  readonly consents: RemedyDesk['consents']
  /** Ways to sign in beside password and authenticator. */
  otherFactors(call: PersonalCall): Promise<OtherFactors>
  publicUrl(): string
}

const sections = [
  ['notices', 'What happened'],
  ['factors', 'Ways to sign in'],
  ['sessions', 'Sessions'],
  ['clients', 'Clients'],
  ['tokens', 'Access tokens'],
  ['consents', 'Consents'],
  ['service-accounts', 'Service accounts'],
  ['sign-ins', 'Last sign-ins'],
] as const

const rail = html`<nav class="rail-nav" aria-label="Your account">
  <ul>
    ${sections.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}
  </ul>
</nav>`

async function bodyOf(parts: AccountParts, call: PersonalCall): Promise<Html> {
  const { principal, query } = call
  const nowMs = parts.clock.now()
  const publicUrl = parts.publicUrl()
  const [person, notices, sessions, grants, tokens, accounts, signIns, consents, others] = await Promise.all([
    parts.people.find(principal.id),
    parts.notices.list(principal.id),
    parts.sessions.list(principal.id),
    parts.grants.list(principal.id),
    parts.tokens.list(principal.id),
    parts.serviceAccounts.list(principal.id),
    parts.signIns.list(principal.id),
    parts.consents.list(principal.id),
    parts.otherFactors(call),
  ])
  const hasOtherName = person !== undefined && person.displayName !== principal.name
  const done = doneWords(query.get('done'))
  const shown = { call, nowMs, publicUrl }
  return html`<section class="panel wide">
      <h1>Your account</h1>
      <p class="lead">
        You are signed in as
        <strong>${principal.name}</strong>${hasOtherName && html` (${foreignName(person.displayName)})`}.
        <a href="/sign-out">Sign out</a>
      </p>
      ${done !== undefined && html`<p class="note" role="status">${done}</p>`}
    </section>
    ${noticeSection(shown, notices)} ${person !== undefined && factorSection(person, others)}
    ${sessionSection(shown, sessions)} ${clientSection(shown, grants)} ${tokenSection(shown, tokens)}
    ${consentSection(shown, consents)} ${serviceAccountSection(shown, accounts)} ${signInSection(signIns)}`
}

export function accountScreen(parts: AccountParts): PersonalScreen {
  return {
    isFor: 'person',
    isForRegistering: true,
    owns: (asked) => asked === '/account',
    async get(call) {
      sendPage(call.res, { title: 'Your account', rail, body: await bodyOf(parts, call) })
    },
  }
}
