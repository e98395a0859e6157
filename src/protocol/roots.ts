import { hasLookAlike, knownNames } from './look-alike.ts'
import { isObject, type Message } from './message.ts'

const rootsName = knownNames('roots')

/** Roots are the folders on a client's machine that it tells servers of. What looks like them is taken for them. */
function hasRoots(answer: unknown): boolean {
  return isObject(answer) && (Object.hasOwn(answer, 'roots') || hasLookAlike(answer, rootsName))
}

/** Whether a client's message tells roots: as the response to a server, or as the input that one asked for (2026-07-28). */
export function sharesRoots(message: Message | undefined): boolean {
  if (message?.kind === 'response') return hasRoots(message.json['result'])
  const responses = message?.params?.['inputResponses']
  return isObject(responses) && Object.values(responses).some(hasRoots)
}

/** Whether a server's message asks for roots: as a request, or as an input it requires before it goes on. */
export function asksForRoots(message: Message): boolean {
  if (message.kind === 'request') return message.method === 'roots/list'
  const result = message.json['result']
  const requests = isObject(result) ? result['inputRequests'] : undefined
  return isObject(requests) && Object.values(requests).some((each) => isObject(each) && each['method'] === 'roots/list')
}
