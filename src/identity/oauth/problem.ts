/**
 * What does a browser see that cannot be sent back to its client? A page that says so; nothing leads anywhere.
 * Stops: a redirect to an address that the client did not register.
 * Trusts: the code of the error; of what the client sent nothing is shown. Fails: with the status of the error.
 * @see RFC 6749, section 4.1.2.1
 */
import type { ServerResponse } from 'node:http'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { html } from '../pages/html.ts'
import { panel, sendPage } from '../pages/page.ts'

const words: Readonly<Record<string, readonly [says: string, hint: string]>> = {
  invalid_client: [
    'This client is not known here',
    'It may have been blocked, or wait for the approval of an administrator. Let it register again, or ask one.',
  ],
  invalid_redirect_uri: [
    'This request would lead to an address that the client did not register',
    'Nothing was done. If you did not expect this, do not try again.',
  ],
  server_error: ['This did not work', 'The fault is here and not with you. Try again in a moment.'],
}
const otherwise = ['This request cannot be answered', 'Start again in the program that asked.'] as const

interface Problem {
  readonly error: string
  readonly error_description?: string | undefined
}

/** Keeps what went wrong for the record; the page is sent when that is durable. */
export function noteProblem(ctx: KoaContextWithOIDC, told: Problem): void {
  ctx.state['oauthProblem'] = told
  ctx.body = ''
}

/** What was noted; undefined when the answer is no page. */
export function problemOf(ctx: { readonly state: Record<string, unknown> }): Problem | undefined {
  return ctx.state['oauthProblem'] as Problem | undefined
}

/** Answers with the page. */
export function sendOauthProblem(res: ServerResponse, status: number, { error }: Problem): void {
  const [says, hint] = words[error] ?? otherwise
  sendPage(res, { status, title: 'Not possible', body: panel(says, hint, html`<p><code>${error}</code></p>`) })
}
