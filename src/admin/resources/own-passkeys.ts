import { assertionAnswer, type PasskeyView, registrationAnswer } from '#identity'
import { isRefusal, type Principal } from '#kernel'
import { z } from 'zod'
import { route } from '../route.ts'
import { done, idParams, isoTime, isoTimeOrNull, listOf, moment, nameText, secretText } from '../shapes.ts'

const passkey = z.object({
  id: z.string(),
  name: z.string(),
  aaguid: z.string(),
  /** Can leave its device, and has left it. */
  isSyncable: z.boolean(),
  isSynced: z.boolean(),
  createdAt: moment,
  lastUsedAt: moment.nullable(),
})

function show(view: PasskeyView): z.infer<typeof passkey> {
  return { ...view, createdAt: isoTime(view.createdAt), lastUsedAt: isoTimeOrNull(view.lastUsedAt) }
}

const state = z.string().max(4096)

/** Password with a code, or the answer of a passkey to `/me/passkeys/proof`. */
const proof = z.union([
  z.strictObject({ password: secretText, code: secretText.optional() }),
  z.strictObject({ state, answer: assertionAnswer }),
])

/** For `PublicKeyCredential.parse…OptionsFromJSON`; the state goes back with the answer. */
const asked = z.object({ state: z.string(), options: z.record(z.string(), z.unknown()) })

/** WHY: this API knows no cookies; what is asked of a session is answered by that session. */
function bindingOf({ credential }: Principal): string {
  return `session ${credential.id}`
}

const list = route({
  method: 'GET',
  path: '/me/passkeys',
  summary: 'your passkeys',
  access: 'signed-in',
  isForRegistering: true,
  answer: listOf(passkey),
  async handle({ rooms, principal }) {
    return { items: (await rooms.identity.passkeys.list(principal.id)).map(show) }
  },
})

const prove = route({
  method: 'POST',
  path: '/me/passkeys/proof',
  summary: 'ask for one of your passkeys, as a proof for a change that asks for one',
  access: 'signed-in',
  isForRegistering: true,
  answer: asked,
  async handle({ rooms, principal }) {
    const given = await rooms.identity.passkeys.beginProof({ principal, binding: bindingOf(principal) })
    return { state: given.state, options: { ...given.options } }
  },
})

const begin = route({
  method: 'POST',
  path: '/me/passkeys/begin',
  summary: 'ask for a new passkey; needs a fresh proof of a factor you have',
  recordsOwnRefusals: true,
  access: 'signed-in',
  isForRegistering: true,
  body: z.strictObject({ proof }),
  answer: asked,
  async handle({ rooms, principal, body, address }) {
    const request = { principal, proof: body.proof, binding: bindingOf(principal), address }
    const given = await rooms.identity.passkeys.beginRegistration(request)
    return isRefusal(given) ? given : { state: given.state, options: { ...given.options } }
  },
})

const add = route({
  method: 'POST',
  path: '/me/passkeys',
  summary: 'keep the new passkey that was asked for',
  recordsOwnRefusals: true,
  access: 'signed-in',
  isForRegistering: true,
  status: 201,
  body: z.strictObject({ state, answer: registrationAnswer, name: nameText }),
  answer: passkey,
  async handle({ rooms, principal, body, address }) {
    const request = { ...body, principal, binding: bindingOf(principal), address }
    const added = await rooms.identity.passkeys.register(request)
    return isRefusal(added) ? added : show(added)
  },
})

const rename = route({
  method: 'POST',
  path: '/me/passkeys/:id/rename',
  summary: 'give one of your passkeys another name; needs a fresh proof',
  recordsOwnRefusals: true,
  access: 'signed-in',
  params: idParams,
  body: z.strictObject({ proof, name: nameText }),
  answer: z.object({ name: z.string() }),
  handle: async ({ rooms, principal, params, body, address }) =>
    rooms.identity.passkeys.rename({ ...body, principal, binding: bindingOf(principal), address, id: params.id }),
})

const remove = route({
  method: 'POST',
  path: '/me/passkeys/:id/remove',
  summary: 'remove one of your passkeys, never the last factor; needs a fresh proof and ends your other sessions',
  recordsOwnRefusals: true,
  access: 'signed-in',
  params: idParams,
  body: z.strictObject({ proof }),
  answer: done,
  async handle({ rooms, principal, params, body, address }) {
    const request = { ...body, principal, binding: bindingOf(principal), address, id: params.id }
    const removed = await rooms.identity.passkeys.remove(request)
    return isRefusal(removed) ? removed : { done: true as const }
  },
})

export const ownPasskeyRoutes = [list, prove, begin, add, rename, remove]
