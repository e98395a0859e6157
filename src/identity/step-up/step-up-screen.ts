/**
 * `/step-up/<id>`: is this call this person's own, and is it they? Shows who asks for what, and takes a fresh factor.
 * Stops: a proof by another person than the one in whose name the call was made, by a form of another site, in a frame.
 * Trusts: `answer-step-up.ts` for whose call it is and whether it still waits.
 * Fails: what is another's, too old, answered or never was gets one page.
 * @see MCP 2025-11-25 and 2026-07-28, elicitation: who opens the address is who started it
 */
import { type Clock, isRefusal, type Refusal, refuse } from '#kernel'
import type { Passkeys } from '../passkey/create-passkeys.ts'
import { passkeyScript } from '../passkey/sign-in-part.ts'
import type { People, PersonView } from '../people/people.ts'
import { html, type Html } from '../pages/html.ts'
import { panel, sendPage } from '../pages/page.ts'
import { refusalHeaders, refusalWords, sendProblem } from '../pages/problem-page.ts'
import type { PersonalCall, PersonalScreen } from '../pages/screen.ts'
import { duration, foreignName } from '../pages/words.ts'
import type { StepUpAnswers, WaitingCall } from './answer-step-up.ts'
import { type ProviderOf, proofFields, proofOf, type There, thereOf } from './proof-form.ts'
import { stepUpRefusals } from './refusals.ts'
import { shownCall, visible } from './shown-call.ts'
import { useWithinMs } from './step-ups.ts'

export interface StepUpScreenParts {
  readonly clock: Clock
  readonly answers: StepUpAnswers
  readonly people: Pick<People, 'find'>
  readonly passkeys: Pick<Passkeys, 'list'>
  readonly providerOf: ProviderOf
}

const path = /^\/step-up\/([A-Za-z0-9_-]{43})$/
const deeds = { tool: 'call the tool', resource: 'read the resource', prompt: 'get the prompt', server: 'use' } as const

function idOf({ visit }: PersonalCall): string {
  return path.exec(visit.path)?.[1] ?? ''
}

function sayGone({ res }: PersonalCall): void {
  sendProblem(res, refuse(stepUpRefusals.stepUpUnknown))
}

function facts(waiting: WaitingCall, nowMs: number): Html {
  const { kind, name, upstream, clientName, expiresAt } = waiting
  return html`<dl class="facts">
    <dt>Who asks</dt>
    <dd><strong>${foreignName(clientName)}</strong></dd>
    <dt>Server</dt>
    <dd><strong>${foreignName(upstream)}</strong></dd>
    <dt>To do what</dt>
    <dd>${deeds[kind]} <code class="call-name">${visible(name)}</code></dd>
    <dt>With</dt>
    <dd>${shownCall(waiting.text, waiting.chars)}</dd>
    <dt>Time left</dt>
    <dd>${duration(expiresAt - nowMs)}</dd>
  </dl>`
}

interface Means {
  readonly person: PersonView | undefined
  readonly hasPasskey: boolean
  readonly there: There | undefined
}

function noMeans(there: There | undefined): Html {
  return html`<p class="form-error" role="alert">
      You have neither an authenticator nor a passkey here. Add a passkey on <a href="/account">your account page</a>${
        there === undefined ? '.' : `, or prove it at ${there.title}, with a second factor.`
      }
    </p>
    ${there && html`<p><a class="button quiet" href="${there.href}">Sign in anew at ${there.title}</a></p>`}`
}

function means({ person, hasPasskey, there }: Means): Html {
  const hasCode = person?.hasAuthenticator === true
  const isProved = there?.proof !== undefined
  if (!hasCode && !hasPasskey && !isProved) return noMeans(there)
  const fields = proofFields({
    withPasskey: hasPasskey ? 'Prove it with a passkey and let it pass' : undefined,
    hasPassword: hasCode && person?.isEnrolled === true,
    hasCode,
    there,
    codeHelp: 'Six digits of your authenticator. A recovery code does not count here.',
  })
  const send = html`<button type="submit" name="answer-is" value="prove" class="primary">Let this call pass</button>`
  return html`${fields}${(hasCode || isProved) && html`<p class="actions">${send}</p>`}`
}

async function show(parts: StepUpScreenParts, call: PersonalCall, waiting: WaitingCall, refusal?: Refusal) {
  const { principal, visit } = call
  const [person, own, there] = await Promise.all([
    parts.people.find(principal.id),
    parts.passkeys.list(principal.id),
    thereOf(parts.providerOf, call),
  ])
  const { path: action } = visit
  sendPage(call.res, {
    status: refusal?.status ?? 200,
    title: 'Let a call pass',
    headers: refusal === undefined ? {} : refusalHeaders(refusal),
    scripts: [passkeyScript],
    body: panel(
      'Is this call yours?',
      html`It was made in your name, <strong>${principal.name}</strong>, and needs you to prove that it is you.`,
      facts(waiting, parts.clock.now()),
      html`<div class="caution" role="note">
        <h2>Be careful</h2>
        <p>
          Let it pass only if <strong>you want exactly this</strong>. It passes once. If you did not start it, deny.
        </p>
      </div>`,
      html`<form method="post" action="${action}">
        ${call.formField(action)} ${refusal && html`<p class="form-error" role="alert">${refusalWords(refusal)}</p>`}
        ${means({ person, hasPasskey: own.length > 0, there })}
      </form>`,
      html`<form method="post" action="${action}">
        ${call.formField(action)}
        <p class="actions"><button type="submit" name="answer-is" value="deny" class="quiet">Deny</button></p>
      </form>`,
    ),
  })
}

function sayDone(call: PersonalCall, heading: string, lead: string): void {
  const back = html`<p class="actions"><a class="button quiet" href="/account">Your account</a></p>`
  sendPage(call.res, { title: heading, body: panel(heading, lead, back) })
}

/** The page on which a person lets one call of theirs pass, or not. */
export function stepUpScreen(parts: StepUpScreenParts): PersonalScreen {
  const { answers } = parts
  return {
    isFor: 'person',
    owns: (asked) => path.test(asked),
    async get(call) {
      const waiting = await answers.find(idOf(call), call.principal, call.visit.address)
      return waiting === undefined ? sayGone(call) : show(parts, call, waiting)
    },
    async post(call, fields) {
      const { principal, visit } = call
      const id = idOf(call)
      if (fields.get('answer-is') === 'deny') {
        const denied = await answers.deny(id, principal, visit.address)
        if (isRefusal(denied)) return sendProblem(call.res, denied)
        return sayDone(call, 'Denied', 'The call does not pass. You can close this page.')
      }
      const who = { principal, binding: call.binding(), address: visit.address }
      const proved = await answers.prove(id, { ...who, proof: proofOf(fields) })
      if (isRefusal(proved)) {
        if (proved.code === stepUpRefusals.stepUpUnknown.code) return sayGone(call)
        const waiting = await answers.find(id, principal, visit.address)
        return waiting === undefined ? sayGone(call) : show(parts, call, waiting, proved)
      }
      const lead = `The call passes once, within ${duration(useWithinMs)}. If your client does not go on by itself, tell it to try again. You can close this page.`
      sayDone(call, 'Proved', lead)
    },
  }
}
