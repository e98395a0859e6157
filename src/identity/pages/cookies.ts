/**
 * Which cookies of ours does a browser hold? Read strictly, written with every attribute that keeps them ours.
 * Stops: cookies that another host, a script or another site's form could set, read or send for us.
 * Trusts: the browser for `__Host-`, `HttpOnly` and `SameSite`.
 * Fails: a name that is sent twice with different values has no value: nobody can tell which is ours.
 * @see RFC 6265bis, sections 4.1.3 and 5.4; ASVS 3.3
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface CookieNames {
  readonly session: string
  /** Ties forms to the browser that was given them. */
  readonly form: string
  readonly isSecure: boolean
}

/** WHY: `__Host-` needs `Secure`; on loopback without TLS the port keeps the cookies of two servers apart. */
export function cookieNames(publicUrl: string): CookieNames {
  const { protocol, port } = new URL(publicUrl)
  const isSecure = protocol === 'https:'
  const name = isSecure ? '__Host-castellan' : `castellan-${port === '' ? '80' : port}`
  return { session: name, form: `${name}-form`, isSecure }
}

/** The value of a cookie; undefined when it is absent, or ambiguous. */
export function readCookie({ headers }: IncomingMessage, name: string): string | undefined {
  const values = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
  const [first] = values
  return values.every((value) => value === first) ? first : undefined
}

/** @param value of cookie octets alone; undefined takes the cookie away */
export function writeCookie(
  res: ServerResponse,
  { name, value, isSecure }: { name: string; value: string | undefined; isSecure: boolean },
): void {
  const attributes = ['Path=/', 'HttpOnly', 'SameSite=Lax', ...(isSecure ? ['Secure'] : [])]
  const end = value === undefined ? ['Max-Age=0'] : []
  res.appendHeader('set-cookie', [`${name}=${value ?? ''}`, ...attributes, ...end].join('; '))
}
