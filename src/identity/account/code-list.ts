/**
 * How are recovery codes shown? Once, as a list that can be copied or written down.
 * Stops: nothing by itself. Trusts the caller to show them to their person alone. Fails: without codes there is no list.
 */
import { html, type Html } from '../pages/html.ts'

/** New codes, and the way back to the account. */
export function codeList({ recoveryCodes }: { readonly recoveryCodes: readonly string[] }): Html {
  if (recoveryCodes.length === 0)
    return html`<p class="actions"><a class="button primary" href="/account">Go on</a></p>`
  return html`<p>
      Keep these recovery codes: each signs you in once when your authenticator is lost. They are shown only now.
    </p>
    <ol class="codes" aria-label="Recovery codes">
      ${recoveryCodes.map((code) => html`<li><code>${code}</code></li>`)}
    </ol>
    <p class="actions"><a class="button primary" href="/account">I have kept them</a></p>`
}
