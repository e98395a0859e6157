/**
 * How is a call shown to the person who is to let it pass? Completely, on its own lines, with nothing hidden in it.
 * Stops: arguments that look like others: what is not seen, or reorders what is, is written out.
 * Trusts: nothing of the call. Fails: what is too long for a page is cut, and the page says so.
 * @see Unicode TR 36, TR 9
 */
import { readStrictObject } from '#protocol'
import { html, type Html } from '../pages/html.ts'

/** UTF-16 units of a call that are shown. */
export const mostShownChars = 32_768

const unseen = /[^\n\P{C}]|[\p{Zl}\p{Zp}\p{DI}\u2800]|[^ \P{Zs}]/gu

/** As JSON writes it: nothing else in a text of JSON looks like it. */
function escaped(sign: string): string {
  return [...Array(sign.length).keys()].map((at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')
}

/** A name or address as it was called, every sign in it to be seen. */
export function visible(name: string): string {
  return name.slice(0, mostShownChars).replace(unseen, escaped)
}

/** JSON with a line for each member, and every sign in it to be seen. */
export function writtenOut(json: string): string {
  const read = readStrictObject(json)
  return (read === undefined ? json : JSON.stringify(read, undefined, 2)).replace(unseen, escaped)
}

/** The call on a page. */
export function shownCall(json: string, chars: number): Html {
  const isCut = chars > mostShownChars
  const text = isCut ? json.slice(0, mostShownChars).replace(unseen, escaped) : writtenOut(json)
  return html`<pre class="call" dir="ltr"><code>${text}</code></pre>
    ${
      isCut &&
      html`<p class="form-error" role="alert">
        Only the first ${mostShownChars} of ${chars} characters are shown. Deny this call unless you know the rest.
      </p>`
    }`
}
