/**
 * Was the state of an unfinished call given to this person, here, for this very thing?
 * Stops: a call that one person was asked about being finished by another: to its server both are Castellan.
 * Trusts: the sealer: see `seals.ts`.
 * Fails: what does not open, and what is too old, is no state: the protocol's error for params that are wrong.
 * @see MCP 2026-07-28, multi round-trip requests
 */
import { refuse, type Refusal } from '#kernel'
import {
  applyEdits,
  type Edit,
  errorCodes,
  isObject,
  memberEdit,
  type Message,
  spanOf,
  withoutMembers,
  withText,
} from '#protocol'
import type { Arrival } from '../arrival.ts'
import type { Authenticated } from '../guards/authenticate-caller.ts'
import type { Authorized } from '../guards/authorize-call.ts'
import type { Tasked } from '../guards/bind-handles.ts'
import type { Inbound } from '../guards/read-message.ts'
import { gatewayRefusals, onTheWire } from '../refusals.ts'
import type { Holder, KeptState, Seals, StateOf } from './seals.ts'

type Known = Arrival & Authenticated & Inbound & Partial<Tasked> & Partial<Authorized>

function holderOf({ principal, serverName, joint }: Known): Holder {
  return { principal, address: joint?.address ?? serverName }
}

/** WHY: a task goes on with the call that it came from. */
function callOf({ serverName: upstream, message, tasks }: Known): StateOf {
  const { method = '', name = '' } = message ?? {}
  return tasks?.bound === undefined
    ? { upstream, method, name }
    : { upstream, method: 'tools/call', name: tasks.bound.tool }
}

function openedIn(known: Known, seals: Seals): KeptState | undefined {
  const sealed = known.era === 'modern' ? known.message?.params?.['requestState'] : undefined
  return typeof sealed === 'string' ? seals.openState(holderOf(known), callOf(known), sealed) : undefined
}

/** What a call passed with which goes on by this message. */
export function passGoingOn(known: Known, seals: Seals): Omit<KeptState, 'state'> | undefined {
  return openedIn(known, seals)
}

/** Gives a server back the state that it wanted back; a refusal when it is not this one's. @param text as it will be sent */
export function stateEdit(known: Known, text: string, seals: Seals): Edit | Refusal | undefined {
  const sealed = known.era === 'modern' ? known.message?.params?.['requestState'] : undefined
  if (sealed === undefined) return undefined
  const kept = openedIn(known, seals)
  const span = spanOf(text, ['params', 'requestState'])
  if (kept?.state !== undefined && span !== undefined) return { span, text: JSON.stringify(kept.state) }
  // WHY: the server wanted nothing back; what was sealed was Castellan's own.
  if (kept?.stepUp !== undefined || kept?.remedies !== undefined) {
    return { span: [0, text.length], text: withoutMembers(text, ['params'], (name) => name === 'requestState') }
  }
  return onTheWire(refuse(gatewayRefusals.stateUnknown), { status: 200, code: errorCodes.invalidParams })
}

function keptOf(spent: { readonly id: string | undefined; readonly round: number } | undefined) {
  return spent?.id === undefined ? undefined : { id: spent.id, round: spent.round }
}

/**
 * The response with the state that its server wants back sealed; as it is where it wants none. A call that passed with a
 * proof goes on with it: what is sealed then says so.
 */
export function withSealedState(message: Message, known: Known, seals: Seals): Message {
  const { result } = message.json
  const { requestState, resultType } = isObject(result) ? result : {}
  const state = typeof requestState === 'string' ? requestState : undefined
  const { stepUp, spent } = (resultType === 'input_required' && known.decision) || {}
  const kept = { state, stepUp: keptOf(stepUp), remedies: keptOf(spent) }
  if (state === undefined && kept.stepUp === undefined && kept.remedies === undefined) return message
  const sealed = JSON.stringify(seals.sealState(holderOf(known), callOf(known), kept))
  const edit = memberEdit(message.text, ['result'], 'requestState', sealed)
  return edit === undefined ? message : withText(message, applyEdits(message.text, [edit]))
}
