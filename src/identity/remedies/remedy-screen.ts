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

function waits({ kind, approvers, text = '' }: DeskRule, missing: number): Html {
  const isGiven = missing === 0
  if (kind === 'approval') {
    const roles = (approvers?.roles ?? []).join(' or ')
    return isGiven
      ? html`<li>Approved by ${roles}.</li>`
      : html`<li>Waits for ${missing} ${missing === 1 ? 'approval' : 'approvals'} by ${roles}.</li>`
  }
  if (kind === 'consent') return html`<li>${isGiven ? 'You have consented' : 'Needs your consent'}: ${text}</li>`
  return html`<li>${isGiven ? 'You have said why' : 'Needs to know why'}: ${text}</li>`
}

function progress({ rules, missing }: DeskCall): Html {
  return html`<ul>
    ${rules.map((rule) => waits(rule, missing.find((one) => one.rule === rule.rule)?.count ?? 0))}
  </ul>`
}

/** The form for one thing that only the person can give. */
function formFor(call: PersonalCall, { rule, kind, text = '', withinMs }: DeskRule, at: number): Html | undefined {
  const action = call.visit.path
  const hidden = html`${call.formField(action)} <input type="hidden" name="rule" value="${rule}" />`
  if (kind === 'justification') {
    return html`<form method="post" action="${action}">
      ${hidden}
      <div class="field">
        <label for="said-${at}">${text}</label>
        <textarea id="said-${at}" name="said" rows="4" maxlength="${mostSaidChars}" required></textarea>
      </div>
      <p class="actions"><button type="submit" name="answer-is" value="justify" class="primary">Send</button></p>
    </form>`
  }
  if (kind !== 'consent') return undefined
  const kept = withinMs === undefined ? '' : ` It is kept for ${duration(withinMs)}.`
  return html`<form method="post" action="${action}">
    ${hidden}
    <p>${text}${kept} You can take it back on your account page.</p>
    <p class="actions"><button type="submit" name="answer-is" value="consent" class="primary">I consent</button></p>
  </form>`
}

async function proofLink({ database, clock }: RemedyScreenParts, waiting: DeskCall, personId: string) {
  const found = await database.query
    .selectFrom('step_ups')
    .select('id')
    .where('person_id', '=', personId)
    .where('call_hash', '=', waiting.callHash)
    .where('state', '=', 'pending')
    .where('expires_at', '>', clock.now())
    .executeTakeFirst()
  return (
    found &&
    html`<p>
      It also needs a fresh factor of yours: <a href="/step-up/${found.id}">prove it</a>, within minutes of its use.
    </p>`
  )
}

async function show(parts: RemedyScreenParts, call: PersonalCall, asked: DeskCall, refusal?: Refusal): Promise<void> {
  const { path: action } = call.visit
  const [heading, lead] = states[asked.state]
  const isOpen = asked.state === 'waiting' || asked.state === 'ready'
  const wanted = asked.rules.filter((rule) => asked.missing.some((one) => one.rule === rule.rule))
  const forms = asked.state === 'waiting' ? wanted.map((rule, at) => formFor(call, rule, at)) : []
  const hasForm = forms.some((form) => form !== undefined)
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
      isOpen && progress(asked),
      forms,
      isOpen && (await proofLink(parts, asked, call.principal.id)),
      isOpen &&
        html`<form method="post" action="${action}">
          ${call.formField(action)}
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
