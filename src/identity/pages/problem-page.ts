/**
 * What does a person see when something cannot be done? What it was, that nothing happened, and the next step.
 * Stops: details for investigators from being shown.
 * Trusts: the sentences of the refusal.
 * Fails: with the status of the refusal.
 */
import type { ServerResponse } from 'node:http'
import type { Refusal } from '#kernel'
import { html } from './html.ts'
import { panel, sendPage } from './page.ts'
import { duration, sentence } from './words.ts'

/** Headers of a refusal that machines read. */
export function refusalHeaders({ retryAfterSeconds }: Refusal): Record<string, string> {
  return retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
}

/** The sentences of a refusal; where one has to wait, how long. */
export function refusalWords({ says, hint, retryAfterSeconds }: Refusal): string {
  if (retryAfterSeconds === undefined) return `${sentence(says)} ${sentence(hint)}`
  return `${sentence(says)} Try again in ${duration(retryAfterSeconds * 1000)}.`
}

/** @param back where to go from here; the account unless told */
export function sendProblem(
  res: ServerResponse,
  refusal: Refusal,
  more: { readonly back?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): void {
  const { back = '/account' } = more
  sendPage(res, {
    status: refusal.status,
    title: 'Not possible',
    headers: { ...refusalHeaders(refusal), ...more.headers },
    body: html`${panel(
      sentence(refusal.says).slice(0, -1),
      sentence(refusal.hint),
      html`<p class="actions">
        <a class="button quiet" href="${back}">${back === '/account' ? 'Your account' : 'Back'}</a>
      </p>`,
    )}`,
  })
}
