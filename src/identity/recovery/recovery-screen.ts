/**
 * `/recover`: a new password for whoever has the link of a reset and can still prove a factor.
 * Stops: a link alone from opening anything; the key of a link in addresses that are kept.
 * Trusts: `finishReset`, which counts guesses and records what came of it.
 * Fails: with one sentence for every link that does not hold; nothing typed is shown again.
 * @see ASVS 6.4.3
 */
import { isRefusal, type Refusal } from '#kernel'
import { html, type Html } from '../pages/html.ts'
import { panel, sendPage } from '../pages/page.ts'
import { refusalHeaders, refusalWords } from '../pages/problem-page.ts'
import type { Call, OpenScreen } from '../pages/screen.ts'
import type { FinishReset } from './finish-reset.ts'

const path = '/recover'

export interface RecoveryParts {
  finishReset(request: FinishReset): Promise<{ readonly name: string } | Refusal>
}

interface Field {
  readonly id: string
  readonly label: string
  readonly help: string
  /** The input's own attributes. */
  readonly more: Html
}

const quiet = html`type="text" autocapitalize="none" spellcheck="false"`
const fields: readonly Field[] = [
  {
    id: 'key',
    label: 'Key of the link',
    help: 'What stands behind the # in the link.',
    more: html`${quiet} autocomplete="off" maxlength="100"`,
  },
  {
    id: 'code',
    label: 'Code',
    help: 'Six digits of your authenticator, or a recovery code.',
    more: html`${quiet} autocomplete="one-time-code" maxlength="64" class="code"`,
  },
  {
    id: 'password',
    label: 'New password',
    help: 'A sentence of your own is good. Spaces count.',
    more: html`type="password" autocomplete="new-password"`,
  },
]

function show(call: Call, refusal?: Refusal): void {
  const described = refusal === undefined ? '' : ' recover-error'
  sendPage(call.res, {
    status: refusal?.status ?? 200,
    title: 'Choose a new password',
    headers: refusal === undefined ? {} : refusalHeaders(refusal),
    scripts: ['/assets/recover.js'],
    body: panel(
      'Choose a new password',
      'You were given a link by an administrator. It is good once; prove that it is you.',
      html`<form method="post" action="${path}">
        ${call.formField(path)}
        ${refusal && html`<p class="form-error" id="recover-error" role="alert">${refusalWords(refusal)}</p>`}
        ${fields.map(
          ({ id, label, help, more }) =>
            html`<div class="field">
              <label for="${id}">${label}</label>
              <p class="help" id="${id}-help">${help}</p>
              <input id="${id}" name="${id}" required aria-describedby="${id}-help${described}" ${more} />
            </div>`,
        )}
        <p class="actions"><button type="submit" class="primary">Set password</button></p>
      </form>`,
    ),
  })
}

export function recoveryScreen({ finishReset }: RecoveryParts): OpenScreen {
  return {
    isFor: 'everybody',
    owns: (asked) => asked === path,
    get: (call) => show(call),
    async post(call, filled) {
      const { res, visit } = call
      const done = await finishReset({
        token: filled.get('key')?.trim() ?? '',
        code: filled.get('code') ?? '',
        password: filled.get('password') ?? '',
        address: visit.address,
      })
      if (isRefusal(done)) return show(call, done)
      sendPage(res, {
        title: 'Your password is set',
        body: panel(
          'Your password is set',
          'Everything you had open has ended.',
          html`<p class="actions"><a class="button primary" href="/sign-in">Sign in</a></p>`,
        ),
      })
    },
  }
}
