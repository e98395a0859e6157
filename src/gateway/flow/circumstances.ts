/**
 * In which circumstances does an exchange ask? Told to policy with every question of it.
 * Stops: two guards that judge one exchange by different facts; a listing that knows arguments no call gave.
 * Trusts: the listener for the address, `readMessage` for the arguments, what an administrator said of a tool.
 * Fails: what is not known is left out, and what is left out never allows.
 */
import type { Target } from '#kernel'
import type { Circumstances } from '#policy'
import { isObject } from '#protocol'
import type { Classifications } from '#upstream'
import type { Arrival } from '../arrival.ts'
import type { Consented } from './read-consents.ts'
import type { Labelled } from './read-labels.ts'
import type { Inbound } from '../guards/read-message.ts'

export interface Circumstanced {
  /** Made once, where the exchange is told what it is about. */
  readonly circumstances: Circumstances
}

/** Says what a thing does and holds, as of the last refresh of the catalog. */
export type Classifies = Pick<Classifications, 'of'>

const takesArguments = new Set<string | undefined>(['tools/call', 'prompts/get'])

/** SPEC: a call without arguments has none; any other shape of them is refused by servers, and judged as unknown. */
function argumentsOf({ message }: Pick<Inbound, 'message'>): Circumstances['callArguments'] {
  // INVARIANT: where a server reads no arguments, none are judged by.
  if (!takesArguments.has(message?.method)) return undefined
  const given = message?.params?.['arguments']
  if (given === undefined) return {}
  return isObject(given) ? given : undefined
}

/** What is known of whoever asks, whatever it is about. */
type Asking = Pick<Arrival, 'address'> & Pick<Inbound, 'message'> & Labelled & Consented

function classificationOf(classifies: Classifies, { upstream, kind, name }: Target) {
  return classifies.of(upstream, kind === 'tool' ? name : undefined)
}

/** Of an exchange that is about this. */
export function circumstancesOf(classifies: Classifies, known: Asking, target: Target): Circumstances {
  const { address, labels: flow, consented } = known
  const classification = classificationOf(classifies, target)
  return { address, classification, flow, consents: consented.purposes, callArguments: argumentsOf(known) }
}

/** Of something else that the exchange is about besides, which is given no arguments. */
export function circumstancesOfOther(
  classifies: Classifies,
  circumstances: Circumstances,
  target: Target,
): Circumstances {
  return { ...circumstances, classification: classificationOf(classifies, target), callArguments: undefined }
}

/** Of what goes on with a call that was judged when it was made. */
export function circumstancesAfter(circumstances: Circumstances): Circumstances {
  return { ...circumstances, callArguments: undefined, met: 'all' }
}
