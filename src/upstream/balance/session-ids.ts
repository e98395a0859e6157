/**
 * Which endpoint holds a session?
 *
 * Stops: a session that one endpoint opened being looked for at another, whichever gateway is asked.
 * Trusts: whoever hands the id back to have it from here: the gateway seals it.
 * Fails: an id of an endpoint that is gone names none, and the session is over.
 */

const form = /^~([a-z0-9]{8})\.(.*)$/s
const mark = 0x7e

/** The id that goes up: with its endpoint's while there are several, or when it could be taken for such a one. */
export function idAtEndpoint(endpoint: string, sessionId: string, isAlone: boolean): string {
  return isAlone && !form.test(sessionId) ? sessionId : `~${endpoint}.${sessionId}`
}

/** What the id names; undefined when it is the upstream's own, of the time when there was one endpoint. */
export function readSessionId(
  sessionId: string,
): { readonly endpoint: string; readonly sessionId: string } | undefined {
  if (sessionId.charCodeAt(0) !== mark) return undefined
  const [, endpoint, own] = form.exec(sessionId) ?? []
  return endpoint === undefined || own === undefined ? undefined : { endpoint, sessionId: own }
}
