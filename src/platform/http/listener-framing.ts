import type { IncomingMessage } from 'node:http'
import type { Ceilings } from './listener-ceilings.ts'

/** Methods that something behind a listener can answer; TRACE and CONNECT are none. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const slash = 47

/** Headers of which Node keeps the first alone, while another reader may keep the last. */
function isSingle(name: string): boolean {
  switch (name.length) {
    case 4:
      return name.toLowerCase() === 'host'
    case 12:
      return name.toLowerCase() === 'content-type'
    case 13:
      return name.toLowerCase() === 'authorization'
    default:
      return false
  }
}

/** Whether two readers could take the headers for different ones, or for ones of a message of another length. */
function areAmbiguous({ rawHeaders, httpVersion }: IncomingMessage): boolean {
  let seen = 0
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    if (isSingle(name)) {
      // WHY: the lengths of the three names differ, so a bit for each length tells which were seen.
      const bit = 1 << name.length
      if ((seen & bit) !== 0) return true
      seen |= bit
      if (name.length === 4) hosts = 1
      continue
    }
    if (name.length !== 17 || name.toLowerCase() !== 'transfer-encoding') continue
    // SPEC: RFC 9112, sections 6.1 and 7: `chunked` is all that can be read, and HTTP/1.0 knows none.
    if (httpVersion === '1.0' || rawHeaders[at + 1]?.toLowerCase() !== 'chunked') return true
  }
  return hosts === 0 && httpVersion !== '1.0'
}

/**
 * Judges the head of a request beyond what Node's strict parser has refused already. SPEC: RFC 9112, section 3.2: a
 * target in absolute or authority form is only sent to proxies, and `Host` comes once.
 * @returns the status to refuse it with, or undefined
 */
export function flawOf(request: IncomingMessage, ceilings: Ceilings): number | undefined {
  const { rawHeaders, httpVersion, method = '', url = '' } = request
  if (rawHeaders.length > ceilings.maxHeaders * 2) return 431
  if (url.length > ceilings.maxTargetChars) return 414
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 505
  if (!methods.has(method)) return 501
  if (url.charCodeAt(0) !== slash || url.includes('#')) return 400
  return areAmbiguous(request) ? 400 : undefined
}
