/**
 * May a server of the legacy era ask this client this, in the middle of this call?
 *
 * Stops: questions of a kind that the client did not declare, addresses that run a script or leave the clear web, and
 * requests that no client is ever asked.
 * Trusts: the client's own declaration.
 * Fails: what may not be asked is answered to the server with an error; the client never sees it.
 * @see MCP 2025-11-25, elicitation; MCP 2026-07-28, multi round-trip requests
 */
import {
  addressOf,
  errorCodes,
  type InputRequest,
  isSafeAddress,
  jsonRpcError,
  mayBeAsked,
  type Message,
  questionOf,
} from '#protocol'

const kinds = new Set(['elicitation/create', 'sampling/createMessage', 'roots/list'])

/** SPEC: 2026-07-28: only these are answered with a question. */
const asking = new Set(['tools/call', 'prompts/get', 'resources/read'])

/** Whether a client may be asked something while it waits for this. */
export function isAskedDuring(method: string): boolean {
  return asking.has(method)
}

/** The question that may be put to the client, or the answer that its server gets at once. */
export type Judged =
  | { readonly question: InputRequest }
  | { readonly reply: string; /** What was wrong with it; undefined when nothing is. */ readonly refused?: string }

export interface AskedOf {
  /** Of the client's request. */
  readonly method: string
  readonly capabilities: Readonly<Record<string, unknown>>
}

/** Judges a request of a server. @param key under which the client is to answer it */
export function judgeQuestion(message: Message, key: string, { method, capabilities }: AskedOf): Judged {
  const { id = '' } = message
  if (message.method === 'ping') return { reply: JSON.stringify({ jsonrpc: '2.0', id, result: {} }) }
  const refuse = (code: number, refused: string): Judged => ({ reply: jsonRpcError(id, code, refused), refused })
  if (!kinds.has(message.method ?? '')) return refuse(errorCodes.methodNotFound, 'clients are not asked this')
  if (!isAskedDuring(method)) return refuse(errorCodes.methodNotFound, `nobody is asked in the middle of \`${method}\``)
  const question = questionOf(message, key)
  if (!mayBeAsked(capabilities, question)) {
    return refuse(errorCodes.methodNotFound, 'the client did not declare that it can be asked this')
  }
  const address = addressOf(question)
  if (address === undefined || isSafeAddress(address)) return { question }
  return refuse(errorCodes.invalidParams, 'the address is not one that a person is sent to: use `https`')
}
