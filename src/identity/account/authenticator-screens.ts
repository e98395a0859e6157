/**
 * `/account/authenticator` and below: may this person set up an authenticator? They prove what they sign in with first.
 * Stops: a stolen session from adding a thief's; a secret that is shown again, or to anybody else.
 * Trusts: identity, which proves, and confirms with a code. Fails: with one sentence; nothing typed is shown again.
 * @see ASVS 6.3.7, 7.5.1
 */
import { isRefusal, type Refusal } from '#kernel'
import { encode } from 'uqr'
import type { OwnAuthenticator, ShownSecret } from '../people/own-authenticator.ts'
import type { People } from '../people/people.ts'
import { html, type Html } from '../pages/html.ts'
import { codeField, panel, sendPage } from '../pages/page.ts'
import { refusalHeaders, refusalWords, sendProblem } from '../pages/problem-page.ts'
import type { PersonalCall, PersonalScreen } from '../pages/screen.ts'
import { passkeyScript } from '../passkey/sign-in-part.ts'
import type { Passkeys } from '../passkey/create-passkeys.ts'
import { refusals } from '../refusals.ts'
import { type ProviderOf, proofFields, proofOf, thereOf } from '../step-up/proof-form.ts'
import { codeList } from './code-list.ts'

const path = '/account/authenticator'
const confirmPath = `${path}/confirm`
const border = 4

export interface AuthenticatorRooms {
  readonly authenticator: OwnAuthenticator
  readonly people: Pick<People, 'find'>
  readonly passkeys: Pick<Passkeys, 'list'>
  readonly providerOf: ProviderOf
}

const back = html`<a class="button quiet" href="/account">Back</a>`

function problem(refusal: Refusal | undefined): Html | undefined {
  return refusal && html`<p class="form-error" id="form-error" role="alert">${refusalWords(refusal)}</p>`
}

/** Dark on light in both themes, as cameras want it. */
function qrCode(text: string): Html {
  const { data, size } = encode(text, { ecc: 'M', border })
  const dark = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
  return html`<svg viewBox="0 0 ${size} ${size}" width="220" height="220" role="img" aria-label="QR code">
    <rect width="${size}" height="${size}" fill="#fff"></rect>
    <path d="${dark.join('')}" fill="#000"></path>
  </svg>`
}

async function showProof(rooms: AuthenticatorRooms, call: PersonalCall, refusal?: Refusal): Promise<void> {
  const { principal } = call
  const [own, person, there] = await Promise.all([
    rooms.passkeys.list(principal.id),
    rooms.people.find(principal.id),
    thereOf(rooms.providerOf, call),
  ])
  const isEnrolled = person?.isEnrolled === true
  sendPage(call.res, {
    status: refusal?.status ?? 200,
    title: 'Set up an authenticator',
    headers: refusal === undefined ? {} : refusalHeaders(refusal),
    scripts: [passkeyScript],
    body: panel(
      'Set up an authenticator',
      'First prove that it is you. Then you are shown a code for your authenticator app.',
      html`<form method="post" action="${path}">
        ${call.formField(path)} ${problem(refusal)}
        ${proofFields({
          withPasskey: own.length > 0 ? 'Prove it with a passkey' : undefined,
          hasPassword: isEnrolled,
          hasCode: isEnrolled && person.recoveryCodesLeft > 0,
          there,
        })}
        <p class="actions"><button type="submit" class="primary">Continue</button>${back}</p>
      </form>`,
    ),
  })
}

function showSecret(call: PersonalCall, shown: ShownSecret, refusal?: Refusal): void {
  sendPage(call.res, {
    status: refusal?.status ?? 200,
    title: 'Set up an authenticator',
    headers: refusal === undefined ? {} : refusalHeaders(refusal),
    body: panel(
      'Scan this with your authenticator app',
      'Or type its key there. Then type the six digits that it shows. You have five minutes.',
      html`<p>${qrCode(shown.otpauthUri)}</p>
        <p>Key: <code>${shown.secret}</code></p>`,
      html`<form method="post" action="${confirmPath}">
        ${call.formField(confirmPath)} ${problem(refusal)}<input type="hidden" name="state" value="${shown.state}" />
        ${codeField({ isRequired: true, describedBy: refusal && 'form-error', help: 'Six digits of the new entry.' })}
        <p class="actions"><button type="submit" class="primary">Confirm</button>${back}</p>
      </form>`,
    ),
  })
}

function addScreen(rooms: AuthenticatorRooms): PersonalScreen {
  return {
    isFor: 'person',
    owns: (asked) => asked === path,
    get: (call) => showProof(rooms, call),
    async post(call, fields) {
      const { principal, visit } = call
      const request = { principal, proof: proofOf(fields), binding: call.binding(), address: visit.address }
      const shown = await rooms.authenticator.begin(request)
      return isRefusal(shown) ? showProof(rooms, call, shown) : showSecret(call, shown)
    },
  }
}

function confirmScreen({ authenticator }: AuthenticatorRooms): PersonalScreen {
  return {
    isFor: 'person',
    owns: (asked) => asked === confirmPath,
    async post(call, fields) {
      const { principal, visit, res } = call
      const typed = { state: fields.get('state') ?? '', code: fields.get('code')?.trim() ?? '' }
      const request = { principal, binding: call.binding(), address: visit.address, ...typed }
      const done = await authenticator.confirm(request)
      if (isRefusal(done)) {
        const shown = done.code === refusals.codeWrong.code ? authenticator.again(request) : done
        return isRefusal(shown) ? sendProblem(res, done, { back: path }) : showSecret(call, shown, done)
      }
      sendPage(res, {
        title: 'Your authenticator',
        body: panel('Your authenticator is set up', 'From now on you are asked for its code.', codeList(done)),
      })
    },
  }
}

export function authenticatorScreens(rooms: AuthenticatorRooms): readonly PersonalScreen[] {
  return [addScreen(rooms), confirmScreen(rooms)]
}
