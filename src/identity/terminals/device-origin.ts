/**
 * Where does a device that waits ask from, and when did it start?
 * Stops: a code of a stranger's device that somebody was talked into typing: its address is beside their own.
 * Trusts: the listener for both addresses. Fails: what a device says of itself is told as that.
 * @see RFC 8628, section 5.4
 */
import type { WaitingDevice } from '../oauth/interactions.ts'
import { html, type Html } from '../pages/html.ts'
import { foreignName, since } from '../pages/words.ts'

const loopback = /^(?:127\.|::1$|::ffff:127\.)/

/** The facts about where a device is. @param person where its person is, and the moment */
export function originOf(
  { askedAt, askedFrom, agent }: WaitingDevice,
  person: { readonly address: string; readonly nowMs: number },
): Html {
  const isHere = askedFrom === person.address || (loopback.test(askedFrom) && loopback.test(person.address))
  return html`<dl class="facts">
      <dt>Asked</dt>
      <dd>${since(askedAt, person.nowMs)}</dd>
      <dt>From</dt>
      <dd>
        <code>${askedFrom}</code
        >${isHere ? html`, where you are, too` : html`; you are at <code>${person.address}</code>`}
      </dd>
      ${
        agent !== '' &&
        html`<dt>Says it is</dt>
          <dd>${foreignName(agent)}</dd>`
      }
    </dl>
    ${
      !isHere &&
      html`<div class="caution" role="note">
        <h2>It asks from another address</h2>
        <p>The device may be <strong>somebody else's, elsewhere</strong>. Deny, unless you know why.</p>
      </div>`
    }`
}
