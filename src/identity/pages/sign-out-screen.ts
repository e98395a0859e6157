/**
 * `/sign-out`: is this browser to be signed out? Asked with a form, because a link must not be able to.
 * Stops: another site from signing a person out.
 * Trusts: the browser's session cookie alone for what is ended.
 * Fails: without a session there is nothing to end, and that is said the same way.
 * @see ASVS 7.4.1, 10.6.2
 */
import type { BrowserSessions } from './browser-session.ts'
import { html } from './html.ts'
import { panel, sendPage } from './page.ts'
import type { OpenScreen } from './screen.ts'

const path = '/sign-out'

export interface SignOutParts {
  readonly browser: BrowserSessions
  /** The identity provider that a session came from, if it came from one. */
  providerOf(sessionId: string): Promise<{ readonly name: string; readonly title: string } | undefined>
}

export function signOutScreen({ browser, providerOf }: SignOutParts): OpenScreen {
  return {
    isFor: 'everybody',
    owns: (asked) => asked === path,
    async get(call) {
      const present = (await call.present())?.principal
      const from = present && (await providerOf(present.credential.id))
      const asked = html`<form method="post" action="${path}">
        ${call.formField(path)}
        <p class="actions">
          <button type="submit" class="primary">Sign out</button>
          <a class="button quiet" href="/account">Stay</a>
        </p>
        ${
          from !== undefined &&
          html`<p class="aside">
            <a href="/sso/${encodeURIComponent(from.name)}/logout">Sign out at ${from.title}, too</a>
          </p>`
        }
      </form>`
      const body =
        present === undefined
          ? panel(
              'You are not signed in',
              undefined,
              html`<p><a class="button primary" href="/sign-in">Sign in</a></p>`,
            )
          : panel('Sign out?', html`You are signed in as <strong>${present.name}</strong> in this browser.`, asked)
      sendPage(call.res, { title: 'Sign out', body })
    },
    async post({ req, res }) {
      await browser.end(req, res)
      sendPage(res, {
        title: 'Signed out',
        body: panel(
          'You are signed out',
          'The session of this browser has ended. Clients that you let act for you go on; see to them on your account page.',
          html`<p class="actions"><a class="button quiet" href="/sign-in">Sign in again</a></p>`,
        ),
      })
    },
  }
}
