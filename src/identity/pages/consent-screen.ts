/**
 * `/consent/<uid>`: may this client act for this person? Shown before any code is given; a yes is to what was shown.
 * Stops: consent by another site's form, inside a frame, by another person, or to a client that changed meanwhile.
 * Trusts: the authorization server for which requests wait in this browser, and what was consented to before.
 * Fails: a request that is not known here is said to be gone; nothing is granted without a form of this page.
 * @see RFC 6819, section 5.1.2; MCP security best practices: confused deputy
 */
import { refuse, type Sealer } from '#kernel'
import type { Interaction, Interactions } from '../oauth/interactions.ts'
import { type AskedPlaces, askedFacts, fingerprintOf } from './asked.ts'
import { signInAddressFor } from './asker.ts'
import { html } from './html.ts'
import { panel, sendOn, sendPage } from './page.ts'
import { sendProblem } from './problem-page.ts'
import { pageRefusals } from './refusals.ts'
import type { Call, PersonalCall, PersonalScreen } from './screen.ts'
import { foreignName } from './words.ts'

export interface ConsentParts {
  readonly sealer: Sealer
  readonly interactions: Interactions
  places(): AskedPlaces
}

const path = /^\/consent\/[A-Za-z0-9_-]{1,64}$/

function show({ places }: ConsentParts, call: PersonalCall, interaction: Interaction, hasChanged: boolean): void {
  const { client } = interaction
  const { path: action } = call.visit
  sendPage(call.res, {
    title: 'Allow access',
    status: hasChanged ? 409 : 200,
    isForClient: true,
    formsLeadTo: client.redirectSource === undefined ? [] : [client.redirectSource],
    body: panel(
      'Allow access?',
      html`<strong>${foreignName(client.name)}</strong> asks to act for you, <strong>${call.principal.name}</strong>.`,
      hasChanged &&
        html`<p class="form-error" role="alert">What is asked for has changed since you saw it. Please look again.</p>`,
      askedFacts(interaction, places()),
      html`<form method="post" action="${action}">
        ${call.formField(action)}<input type="hidden" name="shown" value="${fingerprintOf(interaction)}" />
        <p class="actions">
          <button type="submit" name="answer" value="allow" class="primary">Allow</button>
          <button type="submit" name="answer" value="deny" class="quiet">Deny</button>
        </p>
      </form>`,
      html`<p class="aside">
        Not you? <a href="/sign-in?${new URLSearchParams({ next: action }).toString()}">Sign in as somebody else</a>
      </p>`,
    ),
  })
}

function sayGone(call: Call): void {
  sendProblem(call.res, refuse(pageRefusals.requestUnknown))
}

/** The page on which a person lets a client act for them, or not. */
export function consentScreen(parts: ConsentParts): PersonalScreen {
  const { interactions, sealer } = parts
  return {
    isFor: 'person',
    owns: (asked) => path.test(asked),
    async ask(call) {
      const interaction = await interactions.find(call.req, call.res)
      if (interaction === undefined) return sayGone(call)
      sendOn(call.res, signInAddressFor(sealer, interaction.client, call.visit.path), true)
    },
    async get(call) {
      const interaction = await interactions.find(call.req, call.res)
      if (interaction === undefined) return sayGone(call)
      show(parts, call, interaction, false)
    },
    async post(call, fields) {
      const { req, res, principal } = call
      const interaction = await interactions.find(req, res)
      if (interaction === undefined) return sayGone(call)
      if (fields.get('shown') !== fingerprintOf(interaction)) return show(parts, call, interaction, true)
      // INVARIANT: only the word itself is a yes.
      const isYes = fields.get('answer') === 'allow'
      const isDone = await (isYes ? interactions.consented(req, res, principal) : interactions.refused(req, res))
      if (!isDone) sayGone(call)
    },
  }
}
