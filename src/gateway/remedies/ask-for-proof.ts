/**
 * How is a client told that its person has to prove a fresh factor, and where?
 * Stops: a question to a client that cannot put it; anything in the address but a random name.
 * Trusts: what the client declared.
 * Fails: a client that declared nothing is told in words, with the address and its id.
 * @see MCP 2025-11-25, URL elicitation required; MCP 2026-07-28, multi round-trip requests
 */
import type { AskedStepUp } from '#identity'
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

/** The refusal with the address in it. @param url of the page that takes the proof */
export function askForProof(
  known: Caller & Session,
  refusal: Refusal,
  { asked, url }: { readonly asked: AskedStepUp; readonly url: string },
): WiredRefusal {
  const { id, expiresAt } = asked
  const says = `${refusal.says}: open ${url}`
  const stepUp = { id, url, expiresAt: new Date(expiresAt).toISOString() }
  const told = { ...refusal, says, detail: { ...refusal.detail, stepUp: id } }
  const question = { mode: 'url', message: refusal.says, url }
  const way = wayOf(known)
  if (way === 'error') {
    const data = { elicitations: [{ ...question, elicitationId: id }], stepUp }
    return onTheWire(told, { status: inBand, code: errorCodes.addressNeeded, data })
  }
  if (way === 'words') return onTheWire(told, { status: inBand, code: refusal.status, data: { stepUp } })
  const request = {
    key: ownQuestion,
    method: 'elicitation/create',
    params: question,
    paramsText: JSON.stringify(question),
  }
  const answer = (messageId: string | number): string => inputRequiredResponse(messageId, [request], {})
  return onTheWire(told, { status: inBand, code: refusal.status, answer })
}
