/**
 * How does a person prove a factor on a page? Password and code, or a passkey by the page's script.
 * Stops: nothing by itself. Trusts: `proveFresh` for what it is worth.
 * Fails: what is not filled in proves nothing.
 */
import { readAssertion } from '../passkey/read-answer.ts'
import { scriptFields } from '../passkey/sign-in-part.ts'
import type { Fields } from '../pages/form.ts'
import { html, type Html } from '../pages/html.ts'
import { codeField } from '../pages/page.ts'
import type { FreshProof } from './prove-fresh.ts'

/** Where the script learns what to ask the authenticator for. */
export const proofPath = '/account/passkeys/proof'

/** What the form proves with: the passkey's answer when there is one, else password and code. */
export function proofOf(fields: Fields): FreshProof {
  if ((fields.get('answer') ?? '') !== '') return readAssertion(fields)
  const code = fields.get('code')?.trim() ?? ''
  return { password: fields.get('password') ?? '', code: code === '' ? undefined : code }
}

export interface ProofFields {
  /** What the button of a passkey says; undefined for whoever has none. */
  readonly withPasskey: string | undefined
  readonly hasPassword?: boolean
  readonly hasCode?: boolean
  /** What a code is, where it is not any code. */
  readonly codeHelp?: string
}

/** The fields of a proof; with a passkey, its button sends the form instead. */
export function proofFields({ withPasskey, hasPassword = true, hasCode = true, codeHelp }: ProofFields): Html {
  return html`${scriptFields}
  ${
    hasPassword &&
    html`<div class="field">
      <label for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="current-password" />
    </div>`
  }
  ${hasCode && codeField(codeHelp === undefined ? {} : { help: codeHelp })}
  ${
    withPasskey !== undefined &&
    html`<p>
      <button type="button" class="quiet" data-passkey="get" data-from="${proofPath}" hidden>${withPasskey}</button>
    </p>`
  }`
}
