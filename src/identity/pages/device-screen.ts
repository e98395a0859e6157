/**
 * `/device`: which device may act for this person? A code typed by hand, shown again, compared, and agreed to.
 * Stops: guessing codes (counted per person and per address), approval by a link alone, approval of another device.
 * Trusts: the authorization server for which devices wait.
 * Fails: a code that is unknown, expired or decided gets one answer; nothing is approved without the form that showed it.
 * @see RFC 8628, sections 5.1 (brute force), 5.4 (remote phishing) and 3.3.1
 */
import type { Ledger } from '#audit'
import { isRefusal, type Refusal, refuse } from '#kernel'
import type { Devices, WaitingDevice } from '../oauth/interactions.ts'
import { type AskedPlaces, askedFacts, fingerprintOf } from './asked.ts'
import type { CodeAllowance } from './code-allowance.ts'
import { deviceCodeRefused } from './events.ts'
import type { Fields } from './form.ts'
import { html, type Html } from './html.ts'
import { panel, sendOn, sendPage } from './page.ts'
import { refusalHeaders, refusalWords, sendProblem } from './problem-page.ts'
import { pageRefusals } from './refusals.ts'
import type { PersonalCall, PersonalScreen } from './screen.ts'
import { terminalRefusals } from '../terminals/refusals.ts'
import { originOf } from '../terminals/device-origin.ts'
import { foreignName } from './words.ts'

export interface DeviceParts {
  readonly devices: Devices
  readonly ledger: Pick<Ledger, 'append'>
  readonly codes: CodeAllowance
  places(): AskedPlaces
  /** Wall-clock milliseconds. */
  now(): number
}

const path = '/device'
const shape = /^[A-Za-z0-9 -]{1,32}$/

function askForCode(call: PersonalCall, problem?: Refusal): void {
  const typed = call.query.get('user_code') ?? ''
  const described = problem === undefined ? 'code-help' : 'code-help code-error'
  sendPage(call.res, {
    status: problem?.status ?? 200,
    title: 'Connect a device',
    headers: problem === undefined ? {} : refusalHeaders(problem),
    body: panel(
      'Connect a device',
      'Type the code that your device or terminal shows.',
      html`<form method="post" action="${path}">
        ${call.formField(path)}
        ${problem !== undefined && html`<p class="form-error" id="code-error" role="alert">${refusalWords(problem)}</p>`}
        <div class="field">
          <label for="user-code">Code of the device</label>
          <p class="help" id="code-help">Type it only if you started this on your own device a moment ago.</p>
          <input
            id="user-code"
            name="user_code"
            class="code"
            type="text"
            autocomplete="off"
            autocapitalize="characters"
            spellcheck="false"
            required
            maxlength="32"
            value="${shape.test(typed) ? typed : ''}"
            aria-describedby="${described}"
            ${problem !== undefined && html` aria-invalid="true"`}
            autofocus
          />
        </div>
        <p class="actions"><button type="submit" class="primary">Continue</button></p>
      </form>`,
    ),
  })
}

/** As devices show it: in two halves. */
function grouped(userCode: string): string {
  return userCode.replace(/^([A-Z0-9]{4})([A-Z0-9]{4})$/, '$1-$2')
}

function isTerminal({ lifeMs }: WaitingDevice): boolean {
  return lifeMs !== undefined
}

function question(call: PersonalCall, device: WaitingDevice): readonly [heading: string, lead: Html] {
  const you = html`<strong>${call.principal.name}</strong>`
  if (isTerminal(device))
    return [
      'Sign in a terminal?',
      html`A terminal asks to <strong>administer this Castellan</strong> as you, ${you}, and shows this code:`,
    ]
  const name = html`<strong>${foreignName(device.client.name)}</strong>`
  return ['Is this your device?', html`${name} asks to act for you, ${you}, on a device that shows this code:`]
}

/** INVARIANT: administration is not given by one click: the person says that they started it. */
function confirmation(refusal: Refusal | undefined): Html {
  return html`${refusal !== undefined && html`<p class="form-error" id="own-error" role="alert">${refusalWords(refusal)}</p>`}
    <p class="tick">
      <input
        id="own"
        name="own"
        type="checkbox"
        value="yes"
        required${refusal !== undefined && html` aria-describedby="own-error" aria-invalid="true"`}
      />
      <label for="own">I ran <code>castellan login</code> myself a moment ago, and it shows this code</label>
    </p>`
}

function show(
  { places, now }: DeviceParts,
  call: PersonalCall,
  { device, refusal }: { readonly device: WaitingDevice; readonly refusal?: Refusal },
): void {
  const { userCode } = device
  const [heading, lead] = question(call, device)
  sendPage(call.res, {
    status: refusal?.status ?? 200,
    title: isTerminal(device) ? 'Sign in a terminal' : 'Connect a device',
    body: panel(
      heading,
      lead,
      html`<p class="user-code"><code>${grouped(userCode)}</code></p>
        <p>Compare it. If your device shows another code, or you did not start this yourself, deny.</p>`,
      originOf(device, { address: call.visit.address, nowMs: now() }),
      askedFacts(device, places()),
      html`<form method="post" action="${path}">
        ${call.formField(path)}<input type="hidden" name="user_code" value="${userCode}" /><input
          type="hidden"
          name="shown"
          value="${fingerprintOf(device)}"
        />
        ${isTerminal(device) && confirmation(refusal)}
        <p class="actions">
          <button type="submit" name="answer" value="allow" class="primary">Allow</button>
          <button type="submit" name="answer" value="deny" class="quiet" formnovalidate>Deny</button>
        </p>
      </form>`,
    ),
  })
}

function sayDone(call: PersonalCall, heading: string, lead: string | Html): void {
  sendPage(call.res, {
    title: heading,
    body: panel(heading, lead, html`<p class="actions"><a class="button quiet" href="/account">Your account</a></p>`),
  })
}

/** INVARIANT: what was not approved is on record before it is answered. */
async function refuseDevice(
  parts: DeviceParts,
  call: PersonalCall,
  refused: { readonly device: WaitingDevice; readonly refusal: Refusal },
): Promise<void> {
  const { principal, visit } = call
  const { exchangeId: exchange, address } = visit
  const { code } = refused.refusal
  await parts.ledger.append(deviceCodeRefused, { exchange, address, principal, outcome: 'refused', refusal: code })
  show(parts, call, refused)
}

async function decide(parts: DeviceParts, call: PersonalCall, device: WaitingDevice, isYes: boolean) {
  const { devices } = parts
  const { principal } = call
  const { userCode } = device
  const isDone = await (isYes ? devices.approve(userCode, principal) : devices.deny(userCode, principal))
  if (isRefusal(isDone)) return refuseDevice(parts, call, { device, refusal: isDone })
  if (!isDone) return sendProblem(call.res, refuse(pageRefusals.requestUnknown), { back: path })
  if (!isYes) return sayDone(call, 'Denied', 'The device was told no. You can close this page.')
  sayDone(call, 'Connected', 'Your device goes on by itself in a few seconds. You can close this page.')
}

/** INVARIANT: a guess is on record before it is answered. */
async function refuseCode({ ledger }: DeviceParts, call: PersonalCall, refusal: Refusal): Promise<void> {
  const { principal, visit } = call
  const { exchangeId: exchange, address } = visit
  await ledger.append(deviceCodeRefused, { exchange, address, principal, outcome: 'refused', refusal: refusal.code })
  askForCode(call, refusal)
}

async function takeCode(parts: DeviceParts, call: PersonalCall, fields: Fields): Promise<void> {
  const typed = fields.get('user_code') ?? ''
  const attempt = await parts.codes.take(call.principal)
  if (isRefusal(attempt)) return refuseCode(parts, call, attempt)
  const device = shape.test(typed) ? await parts.devices.find(typed, call.principal) : undefined
  if (device === undefined) return refuseCode(parts, call, refuse(pageRefusals.codeUnknown))
  await attempt.forgive()
  const answer = fields.get('answer')
  if (answer === undefined || fields.get('shown') !== fingerprintOf(device)) return show(parts, call, { device })
  if (answer === 'allow' && isTerminal(device) && fields.get('own') !== 'yes')
    return refuseDevice(parts, call, { device, refusal: refuse(terminalRefusals.notConfirmed) })
  return decide(parts, call, device, answer === 'allow')
}

/** The page on which a person lets a device act for them. A code in its address is filled in, never acted upon. */
export function deviceScreen(parts: DeviceParts): PersonalScreen {
  return {
    isFor: 'person',
    owns: (asked) => asked === path,
    ask({ res, query }) {
      const code = query.get('user_code')
      const next =
        code !== null && shape.test(code) ? `${path}?${new URLSearchParams({ user_code: code }).toString()}` : path
      sendOn(res, `/sign-in?${new URLSearchParams({ next }).toString()}`)
    },
    get: (call) => askForCode(call),
    post: (call, fields) => takeCode(parts, call, fields),
  }
}
