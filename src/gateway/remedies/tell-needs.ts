/**
 * How is a client told that somebody has to agree to its call first, and where?
 * Stops: a question to a client that cannot put it; anything in the address but a random name.
 * Trusts: what the client declared.
 * Fails: a client that declared nothing is told in words, with the address and its id.
 * @see MCP 2025-11-25, URL elicitation required; MCP 2026-07-28, multi round-trip requests
 */
import type { Refusal } from '#kernel'
import { errorCodes, inputRequiredResponse, isObject, mayBeAsked, metaKeys } from '#protocol'
import type { Session } from '../guards/bind-session.ts'
import { onTheWire, type WiredRefusal } from '../refusals.ts'
import type { Caller } from './judged-call.ts'
import { ownQuestion } from './own-answer.ts'

const inBand = 200
/** SPEC: the first revision in which an error can send a person to an address. */
const withAddresses = '2025-11-25'

/** SPEC: MCP 2025-11-25, elicitation: `url` is declared by itself. @param params of `initialize` */
export function declaresAddresses(params: Readonly<Record<string, unknown>> | undefined): boolean {
  const capabilities = params?.['capabilities']
  const elicitation = isObject(capabilities) ? capabilities['elicitation'] : undefined
  return isObject(elicitation) && isObject(elicitation['url'])
}

/** The client's way to an address: a question that it answers, an error that it knows, or words. */
function wayOf({ era, version, message, opensAddresses }: Caller & Session): 'question' | 'error' | 'words' {
  if (era === 'legacy') return version >= withAddresses && opensAddresses ? 'error' : 'words'
  const meta = message?.params?.['_meta']
  const declared = isObject(meta) ? meta[metaKeys.clientCapabilities] : undefined
  const question = { key: ownQuestion, method: 'elicitation/create', params: { mode: 'url' }, paramsText: '' }
  return isObject(declared) && mayBeAsked(declared, question) ? 'question' : 'words'
}

/** Where a person goes, and what for. */
export interface Needs {
  /** A page; undefined where nobody could open it. */
  readonly url: string | undefined
  /** What was asked for, with its id: in the data of the answer. */
  readonly data: Readonly<Record<string, unknown>>
  /** For the ledger. */
  readonly detail: Readonly<Record<string, unknown>>
  readonly id: string
}

/** The refusal with the address in it. */
export function tellNeeds(known: Caller & Session, refusal: Refusal, { url, data, detail, id }: Needs): WiredRefusal {
  const told = { ...refusal, detail: { ...refusal.detail, ...detail } }
  if (url === undefined) return onTheWire(told, { status: inBand, code: refusal.status, data })
  const open = { ...told, says: `${refusal.says}: open ${url}` }
  const question = { mode: 'url', message: refusal.says, url }
  const way = wayOf(known)
  if (way === 'error') {
    const elicitations = [{ ...question, elicitationId: id }]
    return onTheWire(open, { status: inBand, code: errorCodes.addressNeeded, data: { elicitations, ...data } })
  }
  if (way === 'words') return onTheWire(open, { status: inBand, code: refusal.status, data })
  const request = {
    key: ownQuestion,
    method: 'elicitation/create',
    params: question,
    paramsText: JSON.stringify(question),
  }
  const answer = (messageId: string | number): string => inputRequiredResponse(messageId, [request], {})
  return onTheWire(open, { status: inBand, code: refusal.status, answer })
}
