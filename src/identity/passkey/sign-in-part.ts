/**
 * `/sign-in/passkey`: who is at this browser, by a passkey? A button above the form of the sign-in page.
 * Stops: what the sign-in page stops; nobody types a name, so none can be probed.
 * Trusts: `passkeys.signIn`, which counts, throttles and records each attempt.
 * Fails: with one sentence for all that is wrong.
 * @see ASVS 6.3.3, 6.3.8, 7.2.4
 */
import type { ServerResponse } from 'node:http'
import { isRefusal } from '#kernel'
import type { BrowserSessions } from '../pages/browser-session.ts'
import { html, type Html } from '../pages/html.ts'
import { readLocalPath } from '../pages/local-path.ts'
import { plainHeaders, sendOn } from '../pages/page.ts'
import { sendProblem } from '../pages/problem-page.ts'
import type { Call, OpenScreen } from '../pages/screen.ts'
import type { Passkeys } from './create-passkeys.ts'
import { readAssertion } from './read-answer.ts'
import type { Asked } from './register-passkey.ts'

const path = '/sign-in/passkey'

/** The module of every page with a passkey button. */
export const passkeyScript = '/assets/passkey.js'

/** Where the script says what went wrong, and what it fills in. */
export const scriptFields = html`<input type="hidden" name="state" value="" /><input
    type="hidden"
    name="answer"
    value=""
  />
  <p class="form-error" data-passkey-says role="alert"></p>`

/** What is to be asked of the browser's authenticators, for the script. */
export function sendAsked(res: ServerResponse, asked: Asked): void {
  const body = JSON.stringify(asked)
  res.writeHead(200, {
    ...plainHeaders,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
  })
  res.end(body)
}

/** The button of the sign-in page; not there without script, or where the browser has no passkeys. */
export function passkeyButton(call: Call, next: string | undefined): { body: Html; scripts: readonly string[] } {
  const body = html`<form method="post" action="${path}">
    ${call.formField(path)} ${next !== undefined && html`<input type="hidden" name="next" value="${next}" />`}
    ${scriptFields}
    <p class="actions">
      <button type="button" class="primary" data-passkey="get" data-from="${path}" hidden>Use a passkey</button>
    </p>
  </form>`
  return { body, scripts: [passkeyScript] }
}

export function passkeySignInScreen(parts: {
  readonly passkeys: Pick<Passkeys, 'beginSignIn' | 'signIn'>
  readonly browser: BrowserSessions
}): OpenScreen {
  const { passkeys, browser } = parts
  return {
    isFor: 'everybody',
    owns: (asked) => asked === path,
    get: (call) => sendAsked(call.res, passkeys.beginSignIn(call.binding())),
    async post(call, fields) {
      const { req, res, visit } = call
      const next = readLocalPath(fields.get('next'))
      const back = next === undefined ? '/sign-in' : `/sign-in?${new URLSearchParams({ next }).toString()}`
      const signedIn = await passkeys.signIn({
        ...readAssertion(fields),
        binding: call.binding(),
        address: visit.address,
        agent: req.headers['user-agent'],
      })
      if (isRefusal(signedIn)) return sendProblem(res, signedIn, { back })
      await browser.start(res, req, signedIn)
      // WHY: a client may have opened this window and wait for it.
      sendOn(res, next ?? '/account', next?.startsWith('/consent/') === true)
    },
  }
}
