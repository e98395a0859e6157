import { isObject, type Message } from './message.ts'

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether a person may be sent there: over TLS, or on their own machine. */
export function isSafeAddress(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, hostname, username, password } = new URL(address)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && loopback.has(hostname))
}

/** SPEC: MCP 2025-11-25, elicitation: the error that asks for a visit first. */
const addressNeeded = -32042

function isUnsafe(params: unknown): boolean {
  if (!isObject(params) || (params['mode'] !== 'url' && params['url'] === undefined)) return false
  return typeof params['url'] !== 'string' || !isSafeAddress(params['url'])
}

function isUnsafeQuestion(question: unknown): boolean {
  return isObject(question) && question['method'] === 'elicitation/create' && isUnsafe(question['params'])
}

/**
 * Whether a server's message sends a person to an address that is not safe to open: as a request, as one of the inputs it
 * requires before it goes on, or as an error that says what has to be opened first.
 */
export function sendsAstray(message: Message): boolean {
  if (message.kind === 'request') return isUnsafeQuestion(message.json)
  const { result, error } = message.json
  if (isObject(result)) {
    const { inputRequests } = result
    return isObject(inputRequests) && Object.values(inputRequests).some(isUnsafeQuestion)
  }
  if (!isObject(error) || error['code'] !== addressNeeded || !isObject(error['data'])) return false
  const { elicitations } = error['data']
  return Array.isArray(elicitations) && elicitations.some(isUnsafe)
}
