/**
 * `/account/password` and `/account/recovery-codes`: may this person change what they sign in with? Proved again first.
 * Stops: a stolen session from taking the account over.
 * Trusts: identity, which proves password and code, counts guesses, and records what came of it.
 * Fails: with one sentence for all that is wrong; nothing is changed and nothing typed is shown again.
 * @see ASVS 6.2.3, 7.5.1
 */
import { isRefusal, type Refusal } from '#kernel'
import type { OwnCredentials } from '../people/own-credentials.ts'
import { html, type Html } from '../pages/html.ts'
import { codeField, emptyWithout, panel, sendOn, sendPage } from '../pages/page.ts'
import { refusalHeaders, refusalWords } from '../pages/problem-page.ts'
import type { PersonalCall, PersonalScreen } from '../pages/screen.ts'
import { doneAddress } from './done.ts'

export interface CredentialParts {
  readonly people: OwnCredentials
}

const back = html`<a class="button quiet" href="/account">Back</a>`

function alertOf(refusal: Refusal | undefined): Html | undefined {
  if (refusal === undefined) return undefined
  return html`<p class="form-error" id="form-error" role="alert">${refusalWords(refusal)}</p>`
}

function secret(id: string, label: string, more: { autocomplete: string; help?: string; hasProblem: boolean }): Html {
  const described = [...(more.help === undefined ? [] : [`${id}-help`]), ...(more.hasProblem ? ['form-error'] : [])]
  return html`<div class="field">
    <label for="${id}">${label}</label>
    ${more.help !== undefined && html`<p class="help" id="${id}-help">${more.help}</p>`}
    <input
      id="${id}"
      name="${id}"
      type="password"
      autocomplete="${more.autocomplete}"
      required
      aria-describedby="${described.join(' ')}"
    />
  </div>`
}

const problemId = (hasProblem: boolean) => (hasProblem ? 'form-error' : undefined)

function showPassword(call: PersonalCall, refusal?: Refusal): void {
  const path = '/account/password'
  const hasProblem = refusal !== undefined
  sendPage(call.res, {
    status: refusal?.status ?? 200,
    title: 'Change password',
    headers: refusal === undefined ? {} : refusalHeaders(refusal),
    body: panel(
      'Change your password',
      'Your other sessions end with it.',
      html`<form method="post" action="${path}">
        ${call.formField(path)} ${alertOf(refusal)}
        <input type="text" name="username" autocomplete="username" value="${call.principal.name}" hidden />
        ${secret('current', 'Present password', { autocomplete: 'current-password', hasProblem })}
        ${codeField({ hint: emptyWithout, describedBy: problemId(hasProblem) })}
        ${secret('next', 'New password', {
          autocomplete: 'new-password',
          help: 'A sentence of your own is good. Spaces count.',
          hasProblem,
        })}
        <p class="tick">
          <input type="checkbox" id="tokens" name="tokens" value="revoke" /><label for="tokens"
            >Revoke my access tokens, too</label
          >
        </p>
        <p class="actions"><button type="submit" class="primary">Change password</button>${back}</p>
      </form>`,
    ),
  })
}

function showCodes(call: PersonalCall, refusal?: Refusal): void {
  const path = '/account/recovery-codes'
  const hasProblem = refusal !== undefined
  sendPage(call.res, {
    status: refusal?.status ?? 200,
    title: 'New recovery codes',
    headers: refusal === undefined ? {} : refusalHeaders(refusal),
    body: panel(
      'Make new recovery codes',
      'The codes you have stop working. The new ones are shown once.',
      html`<form method="post" action="${path}">
        ${call.formField(path)} ${alertOf(refusal)}
        ${secret('password', 'Password', { autocomplete: 'current-password', hasProblem })}
        ${codeField({ isRequired: true, describedBy: problemId(hasProblem) })}
        <p class="actions"><button type="submit" class="primary">Make new codes</button>${back}</p>
      </form>`,
    ),
  })
}

function passwordScreen({ people }: CredentialParts): PersonalScreen {
  return {
    isFor: 'person',
    owns: (asked) => asked === '/account/password',
    get: (call) => showPassword(call),
    async post(call, fields) {
      const code = fields.get('code')?.trim() ?? ''
      const changed = await people.changePassword({
        principal: call.principal,
        current: fields.get('current') ?? '',
        next: fields.get('next') ?? '',
        code: code === '' ? undefined : code,
        address: call.visit.address,
        isRevokingTokens: fields.get('tokens') === 'revoke',
      })
      if (isRefusal(changed)) return showPassword(call, changed)
      sendOn(call.res, doneAddress('password-changed'))
    },
  }
}

function recoveryScreen({ people }: CredentialParts): PersonalScreen {
  return {
    isFor: 'person',
    owns: (asked) => asked === '/account/recovery-codes',
    get: (call) => showCodes(call),
    async post(call, fields) {
      const made = await people.resetRecoveryCodes({
        principal: call.principal,
        password: fields.get('password') ?? '',
        code: fields.get('code')?.trim() ?? '',
        address: call.visit.address,
      })
      if (isRefusal(made)) return showCodes(call, made)
      sendPage(call.res, {
        title: 'Your recovery codes',
        body: panel(
          'Keep your recovery codes',
          'Each signs you in once when your authenticator is lost. They are shown only now.',
          html`<ol class="codes" aria-label="Recovery codes">
            ${made.recoveryCodes.map((code) => html`<li><code>${code}</code></li>`)}
          </ol>`,
          html`<p class="actions"><a class="button primary" href="/account">I have kept them</a></p>`,
        ),
      })
    },
  }
}

export function credentialScreens(parts: CredentialParts): readonly PersonalScreen[] {
  return [passwordScreen(parts), recoveryScreen(parts)]
}
