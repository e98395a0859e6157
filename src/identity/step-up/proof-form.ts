/**
 * How does a person prove a factor on a page? Password and code, a passkey by the page's script, or anew at their provider.
 * Stops: nothing by itself. Trusts: `proveFresh` for what it is worth.
 * Fails: what is not filled in proves nothing.
 */
import { readAssertion } from '../passkey/read-answer.ts'
import { scriptFields } from '../passkey/sign-in-part.ts'
import type { Fields } from '../pages/form.ts'
import type { PersonalCall } from '../pages/screen.ts'
import { html, type Html } from '../pages/html.ts'
import { codeField } from '../pages/page.ts'
import type { FreshProof } from './prove-fresh.ts'
import { isProviderProof } from './provider-proofs.ts'

/** Where the script learns what to ask the authenticator for. */
export const proofPath = '/account/passkeys/proof'

/** What the form proves with: what the provider said, or the passkey's answer, or else password and code. */
export function proofOf(fields: Fields): FreshProof {
  const there = fields.get('there') ?? ''
  if (there !== '') return { there }
  if ((fields.get('answer') ?? '') !== '') return readAssertion(fields)
  const code = fields.get('code')?.trim() ?? ''
  return { password: fields.get('password') ?? '', code: code === '' ? undefined : code }
}

/** The provider that a session came from. */
export type ProviderOf = (sessionId: string) => Promise<{ readonly name: string; readonly title: string } | undefined>

/** A provider at which a person can sign in anew, or has. */
export interface There {
  readonly title: string
  readonly href: string
  /** What it said, for this form; undefined before. */
  readonly proof: string | undefined
}

/** Where whoever is on this page can sign in anew; undefined for who did not come from a provider. */
export async function thereOf(providerOf: ProviderOf, call: PersonalCall): Promise<There | undefined> {
  const provider = await providerOf(call.principal.credential.id)
  if (provider === undefined) return undefined
  const query = new URLSearchParams({ next: call.visit.path })
  const given = call.query.get('proof') ?? ''
  const proof = isProviderProof(given) ? given : undefined
  return { title: provider.title, href: `/sso/${provider.name}/prove?${query.toString()}`, proof }
}

export interface ProofFields {
  readonly there?: There | undefined
  /** What the button of a passkey says; undefined for whoever has none. */
  readonly withPasskey: string | undefined
  readonly hasPassword?: boolean
  readonly hasCode?: boolean
  /** What a code is, where it is not any code. */
  readonly codeHelp?: string
}

/** The fields of a proof; with a passkey, its button sends the form instead. */
export function proofFields({ withPasskey, hasPassword = true, hasCode = true, codeHelp, there }: ProofFields): Html {
  if (there?.proof !== undefined) {
    return html`<p>You have signed in anew at <strong>${there.title}</strong>.</p>
      <input type="hidden" name="there" value="${there.proof}" />`
  }
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
  }
  ${there && html`<p><a class="button quiet" href="${there.href}">Sign in anew at ${there.title}</a></p>`}`
}
