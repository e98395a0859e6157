/**
 * Does a client come back from a question of Castellan's own, and what did its person say?
 * Stops: an answer to Castellan reaching a server.
 * Trusts: nothing: the answer lets nothing pass, a proof does.
 * Fails: what is no answer is none.
 * @see MCP 2026-07-28, multi round-trip requests
 */
import { isObject, type Message, withoutMembers, withText } from '#protocol'

/** The name of Castellan's question among those that a call waits for. */
export const ownQuestion = 'castellan-step-up'

function answersIn({ params }: Message): Record<string, unknown> | undefined {
  const answers = params?.['inputResponses']
  return isObject(answers) && Object.hasOwn(answers, ownQuestion) ? answers : undefined
}

/** What the client said that its person did: went there, or not; undefined when nothing was asked. */
export function ownAnswer(message: Message): 'accepted' | 'declined' | undefined {
  const own = answersIn(message)?.[ownQuestion]
  if (own === undefined) return undefined
  return isObject(own) && own['action'] === 'accept' ? 'accepted' : 'declined'
}

/** The message as its server is to get it; the same where nothing was answered. */
export function withoutOwnAnswer(message: Message): Message {
  const answers = answersIn(message)
  if (answers === undefined) return message
  const { [ownQuestion]: _own, ...others } = answers
  const isLast = Object.keys(others).length === 0
  const text = isLast
    ? withoutMembers(message.text, ['params'], (name) => name === 'inputResponses')
    : withoutMembers(message.text, ['params', 'inputResponses'], (name) => name === ownQuestion)
  const { inputResponses: _all, ...rest } = message.params ?? {}
  const params = isLast ? rest : { ...rest, inputResponses: others }
  return withText({ ...message, params, json: { ...message.json, params } }, text)
}
