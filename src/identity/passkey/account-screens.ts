/**
 * `/account/passkeys/…`: may this person add, rename or remove a passkey? They prove a factor first, each time.
 * Stops: a stolen session from changing what its person signs in with.
 * Trusts: identity, which proves, counts guesses, and records what came of it.
 * Fails: with one sentence for all that is wrong; nothing is changed and nothing typed is shown again.
 * @see ASVS 6.3.7, 7.5.1
 */
import { isRefusal, type Refusal, refuse } from '#kernel'
import { entry } from '../account/shown.ts'
import { doneAddress } from '../account/done.ts'
import { html, type Html } from '../pages/html.ts'
import { panel, sendOn, sendPage } from '../pages/page.ts'
import { refusalHeaders, refusalWords, sendProblem } from '../pages/problem-page.ts'
import type { PersonalCall, PersonalScreen } from '../pages/screen.ts'
import type { People } from '../people/people.ts'
import { moment } from '../pages/words.ts'
import { refusals } from '../refusals.ts'
import { type ProviderOf, proofFields, proofOf, proofPath, thereOf } from '../step-up/proof-form.ts'
import type { Passkeys } from './create-passkeys.ts'
import type { PasskeyView } from './passkeys.ts'
import { readRegistration } from './read-answer.ts'
import type { Asked } from './register-passkey.ts'
import { passkeyScript, sendAsked } from './sign-in-part.ts'

const root = '/account/passkeys'
const addPath = `${root}/add`
const createPath = `${root}/create`
const onePath = /^\/account\/passkeys\/([0-9a-f-]{36})$/

type Own = Pick<Passkeys, 'list' | 'beginProof' | 'beginRegistration' | 'register' | 'rename' | 'remove'>

export interface PasskeyRooms {
  readonly passkeys: Own
  readonly people: Pick<People, 'find'>
  readonly providerOf: ProviderOf
}

function nameField(value: string): Html {
  return html`<div class="field">
    <label for="passkey">Name of the passkey</label>
    <p class="help" id="passkey-help">What you will know it by: the device it is on.</p>
    <input
      id="passkey"
      name="passkey"
      type="text"
      required
      maxlength="100"
      value="${value}"
      aria-describedby="passkey-help"
    />
  </div>`
}

function problem(refusal: Refusal | undefined): Html | undefined {
  return refusal && html`<p class="form-error" role="alert">${refusalWords(refusal)}</p>`
}

const back = html`<a class="button quiet" href="/account">Back</a>`

async function showAdd(rooms: PasskeyRooms, call: PersonalCall, refusal?: Refusal): Promise<void> {
  const { passkeys, people, providerOf } = rooms
  const [own, person, there] = await Promise.all([
    passkeys.list(call.principal.id),
    people.find(call.principal.id),
    thereOf(providerOf, call),
  ])
  const isEnrolled = person?.isEnrolled === true
  sendPage(call.res, {
    status: refusal?.status ?? 200,
    title: 'Add a passkey',
    headers: refusal === undefined ? {} : refusalHeaders(refusal),
    scripts: [passkeyScript],
    body: panel(
      'Add a passkey',
      'First prove that it is you. Then your device asks you to create the passkey.',
      html`<form method="post" action="${addPath}">
        ${call.formField(addPath)} ${problem(refusal)}
        ${proofFields({
          withPasskey: own.length > 0 ? 'Prove it with a passkey I have' : undefined,
          hasPassword: isEnrolled,
          hasCode: isEnrolled,
          there,
        })}
        <p class="actions"><button type="submit" class="primary">Continue</button>${back}</p>
      </form>`,
    ),
  })
}

function showCreate(call: PersonalCall, { state, options }: Asked): void {
  sendPage(call.res, {
    title: 'Add a passkey',
    scripts: [passkeyScript],
    body: panel(
      'Create the passkey',
      'Your device asks for your fingerprint, face or PIN. You have five minutes.',
      html`<form method="post" action="${createPath}">
        ${call.formField(createPath)}
        <input type="hidden" name="state" value="${state}" /><input type="hidden" name="answer" value="" />
        ${nameField('Passkey')}
        <p class="form-error" data-passkey-says role="alert"></p>
        <p class="actions">
          <button type="button" class="primary" data-passkey="create" data-options="${JSON.stringify(options)}" hidden>
            Create passkey</button
          >${back}
        </p>
      </form>`,
    ),
  })
}

function addScreen(rooms: PasskeyRooms): PersonalScreen {
  const { passkeys } = rooms
  return {
    isFor: 'person',
    isForRegistering: true,
    owns: (asked) => asked === addPath,
    get: (call) => showAdd(rooms, call),
    async post(call, fields) {
      const { principal, visit } = call
      const request = { principal, proof: proofOf(fields), binding: call.binding(), address: visit.address }
      const asked = await passkeys.beginRegistration(request)
      return isRefusal(asked) ? showAdd(rooms, call, asked) : showCreate(call, asked)
    },
  }
}

function createScreen(passkeys: Own): PersonalScreen {
  return {
    isFor: 'person',
    isForRegistering: true,
    owns: (asked) => asked === createPath,
    get: (call) => sendOn(call.res, addPath),
    async post(call, fields) {
      const { principal, visit, res } = call
      const who = { principal, binding: call.binding(), address: visit.address }
      const added = await passkeys.register({ ...who, ...readRegistration(fields), name: fields.get('passkey') ?? '' })
      return isRefusal(added) ? sendProblem(res, added, { back: addPath }) : sendOn(res, doneAddress('passkey-added'))
    },
  }
}

function proofScreen(passkeys: Own): PersonalScreen {
  return {
    isFor: 'person',
    isForRegistering: true,
    owns: (asked) => asked === proofPath,
    async get(call) {
      sendAsked(call.res, await passkeys.beginProof({ principal: call.principal, binding: call.binding() }))
    },
  }
}

function showOne(call: PersonalCall, passkey: PasskeyView, refusal?: Refusal): void {
  const path = `${root}/${passkey.id}`
  sendPage(call.res, {
    status: refusal?.status ?? 200,
    title: 'Passkey',
    headers: refusal === undefined ? {} : refusalHeaders(refusal),
    scripts: [passkeyScript],
    body: panel(
      passkey.name,
      'Rename it, or remove it. Removing ends your other sessions.',
      html`<form method="post" action="${path}">
        ${call.formField(path)} ${problem(refusal)} ${nameField(passkey.name)}
        <p class="tick">
          <input type="checkbox" id="remove" name="remove" value="yes" /><label for="remove">Remove this passkey</label>
        </p>
        ${proofFields({ withPasskey: 'Prove it with a passkey and save' })}
        <p class="actions"><button type="submit" class="primary">Save</button>${back}</p>
      </form>`,
    ),
  })
}

function oneScreen(passkeys: Own): PersonalScreen {
  async function find({ principal, visit }: PersonalCall): Promise<PasskeyView | undefined> {
    const id = onePath.exec(visit.path)?.[1]
    return (await passkeys.list(principal.id)).find((one) => one.id === id)
  }

  return {
    isFor: 'person',
    owns: (asked) => onePath.test(asked),
    async get(call) {
      const passkey = await find(call)
      return passkey === undefined ? sendProblem(call.res, refuse(refusals.factorUnknown)) : showOne(call, passkey)
    },
    async post(call, fields) {
      const passkey = await find(call)
      if (passkey === undefined) return sendProblem(call.res, refuse(refusals.factorUnknown))
      const { principal, visit } = call
      const who = { principal, binding: call.binding(), address: visit.address }
      const change = { ...who, id: passkey.id, proof: proofOf(fields) }
      const isRemoving = fields.get('remove') === 'yes'
      const done = isRemoving
        ? await passkeys.remove(change)
        : await passkeys.rename({ ...change, name: fields.get('passkey') ?? '' })
      if (isRefusal(done)) return showOne(call, passkey, done)
      sendOn(call.res, doneAddress(isRemoving ? 'passkey-removed' : 'passkey-renamed'))
    },
  }
}

/** The passkeys of a person, for the list of ways to sign in. */
export async function passkeyEntries(passkeys: Own, { principal }: PersonalCall): Promise<readonly Html[]> {
  const own = await passkeys.list(principal.id)
  const add = entry({
    title: 'Passkeys',
    facts: [
      own.length === 0 ? 'None yet. A passkey is quicker than a password, and cannot be given away.' : `${own.length}`,
    ],
    action: html`<a class="button quiet small" href="${addPath}">Add a passkey</a>`,
  })
  const each = own.map((passkey) =>
    entry({
      title: html`Passkey <strong>${passkey.name}</strong>`,
      facts: [
        html`Added
        ${moment(passkey.createdAt)}${passkey.lastUsedAt !== null && html`, last used ${moment(passkey.lastUsedAt)}`}`,
        passkey.isSynced && 'Kept by your password manager or platform, too',
      ],
      action: html`<a class="button quiet small" href="${root}/${passkey.id}"
        >Change<span class="unseen"> ${passkey.name}</span></a
      >`,
    }),
  )
  return [add, ...each]
}

export function passkeyScreens(rooms: PasskeyRooms): readonly PersonalScreen[] {
  const { passkeys } = rooms
  return [addScreen(rooms), createScreen(passkeys), proofScreen(passkeys), oneScreen(passkeys)]
}
