/**
 * `/remedies/<id>`: what does this call of mine still need, and what can I do about it?
 * Stops: a justification or a consent by anybody but the person whose call it is.
 * Trusts: the desk to look for the id among this person's own alone. Runs no script.
 * Fails: with one page for what is another's and what never was.
 * @see docs/approvals.md
 */
import { type Clock, refuse, type Refusal } from '#kernel'
import type { Query } from '../parts.ts'
import type { Fields } from '../pages/form.ts'
import { html, type Html } from '../pages/html.ts'
import { panel, sendOn, sendPage } from '../pages/page.ts'
import { refusalHeaders, refusalWords, sendProblem } from '../pages/problem-page.ts'
import type { PersonalCall, PersonalScreen } from '../pages/screen.ts'
import { duration, foreignName } from '../pages/words.ts'
import { stepUpRefusals } from '../step-up/refusals.ts'
import { shownCall, visible } from '../step-up/shown-call.ts'
import type { DeskCall, DeskRule, RemedyDesk } from './desk.ts'

export interface RemedyScreenParts {
  readonly clock: Clock
  readonly desk: RemedyDesk
  readonly database: { readonly query: Query }
}

const path = /^\/remedies\/([A-Za-z0-9_-]{43})$/
const mostSaidChars = 2_000
const lookAgainSeconds = 10

const states: Readonly<Record<DeskCall['state'], readonly [heading: string, says: string]>> = {
  waiting: ['This call waits', 'It passes when everything below is given, and your client makes it again.'],
  ready: ['This call may pass', 'It passes once. If your client does not go on by itself, tell it to try again.'],
  used: ['This call has passed', 'What was given for it is used up. You can close this page.'],
  denied: ['This call was denied', 'It can be asked for again in a few minutes.'],
  expired: ['This call was not approved in time', 'Have your client make it again to ask again.'],
  void: ['This call has to be asked for again', 'The rules have changed since. Have your client make it again.'],
}

function idOf({ visit }: PersonalCall): string {
  return path.exec(visit.path)?.[1] ?? ''
}

function facts({ clientName, upstream, kind, name, text, expiresAt, state }: DeskCall, nowMs: number): Html {
  return html`<dl class="facts">
    <dt>Who asks</dt>
    <dd><strong>${foreignName(clientName)}</strong></dd>
    <dt>Server</dt>
    <dd><strong>${foreignName(upstream)}</strong></dd>
    <dt>To do what</dt>
    <dd>${kind} <code class="call-name">${visible(name)}</code></dd>
    <dt>With</dt>
    <dd>${shownCall(text, text.length)}</dd>
    ${
      (state === 'waiting' || state === 'ready') &&
      html`<dt>Time left</dt>
        <dd>${duration(expiresAt - nowMs)}</dd>`
    }
  </dl>`
}

interface Need {
  readonly title: string
  readonly says: Html
  readonly isGiven: boolean
  readonly form?: Html | undefined
}

function hiddenFields(call: PersonalCall, rule: string): Html {
  return html`${call.formField(call.visit.path)} <input type="hidden" name="rule" value="${rule}" />`
}

function approvalOf({ approvers }: DeskRule, missing: number): Need {
  const roles = (approvers?.roles ?? []).join(' or ')
  const waits = `Waits for ${missing} ${missing === 1 ? 'approval' : 'approvals'} by ${roles}.`
  return { title: 'Approval', isGiven: missing === 0, says: html`${missing === 0 ? `Approved by ${roles}.` : waits}` }
}

function consentOf(call: PersonalCall, { rule, text = '', withinMs }: DeskRule, isGiven: boolean): Need {
  const kept = withinMs === undefined ? '' : `Kept for ${duration(withinMs)}. `
  return {
    title: 'Your consent',
    isGiven,
    says: html`${isGiven ? 'You have consented' : 'Asked for'}: <q>${text}</q>`,
    form: html`<form method="post" action="${call.visit.path}">
      ${hiddenFields(call, rule)}
      <p class="help">${kept}You can take it back on your account page.</p>
      <p class="actions"><button type="submit" name="answer-is" value="consent" class="primary">I consent</button></p>
    </form>`,
  }
}

function reasonOf(call: PersonalCall, { rule, text = '' }: DeskRule, isGiven: boolean): Need {
  const field = `said-${rule}`
  return {
    title: 'Your reason',
    isGiven,
    says: isGiven ? html`You have said why: <q>${text}</q>` : html`The approvers and the record get to read it.`,
    form: html`<form method="post" action="${call.visit.path}">
      ${hiddenFields(call, rule)}
      <div class="field">
        <label for="${field}">${text}</label>
        <textarea id="${field}" name="said" rows="3" maxlength="${mostSaidChars}" required></textarea>
      </div>
      <p class="actions"><button type="submit" name="answer-is" value="justify" class="primary">Send</button></p>
    </form>`,
  }
}

function needOf(call: PersonalCall, rule: DeskRule, missing: number): Need {
  if (rule.kind === 'approval') return approvalOf(rule, missing)
  return rule.kind === 'consent' ? consentOf(call, rule, missing === 0) : reasonOf(call, rule, missing === 0)
}

async function proofOf({ database, clock }: RemedyScreenParts, waiting: DeskCall, personId: string) {
  const found = await database.query
    .selectFrom('step_ups')
    .select('id')
    .where('person_id', '=', personId)
    .where('call_hash', '=', waiting.callHash)
    .where('state', '=', 'pending')
    .where('expires_at', '>', clock.now())
    .executeTakeFirst()
  if (found === undefined) return []
  const form = html`<p class="actions"><a class="button primary" href="/step-up/${found.id}">Prove it</a></p>`
  return [{ title: 'A fresh factor', isGiven: false, says: html`Prove it last: it holds for minutes.`, form }]
}

function shownNeed({ title, says, isGiven, form }: Need): Html {
  return html`<li class="need">
    <p class="entry-title">${title} <span class="badge ${isGiven && 'good'}">${isGiven ? 'Given' : 'Missing'}</span></p>
    <p class="need-says">${says}</p>
    ${!isGiven && form}
  </li>`
}

async function needsOf(parts: RemedyScreenParts, call: PersonalCall, asked: DeskCall): Promise<readonly Need[]> {
  const countOf = ({ rule }: DeskRule) => asked.missing.find((one) => one.rule === rule)?.count ?? 0
  const own = asked.rules.map((rule) => needOf(call, rule, countOf(rule)))
  return [...own, ...(await proofOf(parts, asked, call.principal.id))]
}

async function show(parts: RemedyScreenParts, call: PersonalCall, asked: DeskCall, refusal?: Refusal): Promise<void> {
  const [heading, lead] = states[asked.state]
  const isOpen = asked.state === 'waiting' || asked.state === 'ready'
  const needs = isOpen ? await needsOf(parts, call, asked) : []
  const hasForm = needs.some(({ isGiven, form }) => !isGiven && form !== undefined)
  // WHY: looked at again by itself only where nothing that is being typed would be lost.
  const again = isOpen && !hasForm && refusal === undefined ? { refresh: String(lookAgainSeconds) } : {}
  sendPage(call.res, {
    status: refusal?.status ?? 200,
    title: heading,
    headers: { ...again, ...(refusal === undefined ? {} : refusalHeaders(refusal)) },
    body: panel(
      heading,
      lead,
      facts(asked, parts.clock.now()),
      refusal && html`<p class="form-error" role="alert">${refusalWords(refusal)}</p>`,
      isOpen &&
        html`<h2 class="section-title">What it needs</h2>
          <ul class="entries needs">
            ${needs.map(shownNeed)}
          </ul>
          <form method="post" action="${call.visit.path}">
            ${call.formField(call.visit.path)}
            <p class="actions"><button type="submit" name="answer-is" value="decline" class="quiet">Deny</button></p>
          </form>`,
    ),
  })
}

function take({ desk }: RemedyScreenParts, call: PersonalCall, fields: Fields): Promise<Refusal | undefined> {
  const { principal, visit } = call
  const answer = { principal, address: visit.address, rule: fields.get('rule') ?? '' }
  const kind = fields.get('answer-is')
  if (kind === 'justify') return desk.own.justify(idOf(call), { ...answer, said: fields.get('said') ?? '' })
  return kind === 'consent' ? desk.own.consent(idOf(call), answer) : desk.own.decline(idOf(call), answer)
}

/** The page on which a person follows a call of theirs that waits, and says what only they can. */
export function remedyScreen(ground: Omit<RemedyScreenParts, 'desk'>, desk: RemedyDesk): PersonalScreen {
  const parts = { ...ground, desk }
  const find = (call: PersonalCall) => parts.desk.own.show(idOf(call), call.principal)
  const sayGone = ({ res }: PersonalCall): void => sendProblem(res, refuse(stepUpRefusals.stepUpUnknown))
  return {
    isFor: 'person',
    owns: (asked) => path.test(asked),
    async get(call) {
      const asked = await find(call)
      return asked === undefined ? sayGone(call) : show(parts, call, asked)
    },
    async post(call, fields) {
      const refusal = await take(parts, call, fields)
      const asked = await find(call)
      if (asked === undefined) return sayGone(call)
      return refusal === undefined ? sendOn(call.res, call.visit.path) : show(parts, call, asked, refusal)
    },
  }
}
