/**
 * Was this form filled in on a page that we gave to this browser? Read strictly, and tied to browser, person and path.
 * Stops: cross-site request forgery, also of the sign-in form; a form that is used after somebody else signed in.
 * Trusts: the sealer, which binds a token to its place; the doorway, which has refused foreign origins before.
 * Fails: too large, another type, a field twice, a token that is missing, moved or old: the form is not taken.
 * @see ASVS 3.5.1, 3.5.3, 10.2.1; Fetch Metadata
 */
import { hash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Sealer } from '#kernel'
import { readBody } from '#platform/http'
import { cookieNames, readCookie, writeCookie } from './cookies.ts'
import { html, type Html } from './html.ts'

/** What was filled in; each name once. */
export type Fields = ReadonlyMap<string, string>

export type FormProblem = 'too-large' | 'wrong-type' | 'unreadable' | 'left'

/** What a form is tied to. */
export interface Bound {
  /** The path it is sent to. */
  readonly path: string
  /** The session of the person it is shown to; nobody's is empty. */
  readonly session: string
}

export interface Forms {
  /** The hidden field of a form; gives the browser a cookie to go with it when it has none. */
  field(at: { readonly req: IncomingMessage; readonly res: ServerResponse }, bound: Bound): Html
  /** Stands for this browser, for as long as it keeps its cookies; gives it one when it has none. */
  binding(at: { readonly req: IncomingMessage; readonly res: ServerResponse }): string
  /** Why the form is not taken: `cross-site`, `no-token` or `stale-token`; undefined when it is. */
  whyNot(req: IncomingMessage, fields: Fields, bound: Bound): string | undefined
}

/** Bytes of a form that any page takes. */
export const mostFormBytes = 16_384
const tokenName = 'form'
const cookieShape = /^[A-Za-z0-9_-]{43}$/
const longestMs = 12 * 60 * 60_000

/** Reads a form that was sent as `application/x-www-form-urlencoded`, and nothing else. */
export async function readForm(req: IncomingMessage, maxBytes: number): Promise<Fields | FormProblem> {
  const [type = ''] = (req.headers['content-type'] ?? '').split(';', 1)
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') return 'wrong-type'
  const body = await readBody(req, maxBytes)
  if (body === 'encoded') return 'wrong-type'
  if (body === 'aborted') return 'left'
  if (body === 'too-large') return body
  const pairs = [...new URLSearchParams(body.toString('utf8'))]
  const fields = new Map(pairs)
  // INVARIANT: a name that is there twice would be one value to one reader and the other to the next.
  return fields.size === pairs.length ? fields : 'unreadable'
}

export function isFields(read: Fields | FormProblem): read is Fields {
  return typeof read !== 'string'
}

export function createForms(parts: { readonly sealer: Sealer; readonly clock: Clock; publicUrl(): string }): Forms {
  const { sealer, clock } = parts
  const given = new WeakMap<ServerResponse, string>()
  const names = () => cookieNames(parts.publicUrl())
  const place = (cookie: string, { path, session }: Bound) => `forms/${hash('sha256', cookie)}/${session}${path}`

  function browserOf(req: IncomingMessage): string | undefined {
    const cookie = readCookie(req, names().form)
    return cookie !== undefined && cookieShape.test(cookie) ? cookie : undefined
  }

  function give(res: ServerResponse): string {
    const before = given.get(res)
    if (before !== undefined) return before
    const fresh = randomBytes(32).toString('base64url')
    given.set(res, fresh)
    writeCookie(res, { name: names().form, value: fresh, isSecure: names().isSecure })
    return fresh
  }

  return {
    binding: ({ req, res }) => hash('sha256', `binding ${browserOf(req) ?? give(res)}`, 'base64url'),
    field({ req, res }, bound) {
      const madeAt = Buffer.from(String(clock.now()))
      const token = sealer.seal(madeAt, place(browserOf(req) ?? give(res), bound))
      return html`<input type="hidden" name="${tokenName}" value="${token}" />`
    },
    whyNot(req, fields, bound) {
      const site = req.headers['sec-fetch-site']
      if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'cross-site'
      const browser = browserOf(req)
      const token = fields.get(tokenName)
      if (browser === undefined || token === undefined) return 'no-token'
      const madeAt = sealer.open(token, place(browser, bound))
      if (madeAt === undefined) return 'stale-token'
      return clock.now() - Number(Buffer.from(madeAt).toString()) < longestMs ? undefined : 'stale-token'
    },
  }
}
