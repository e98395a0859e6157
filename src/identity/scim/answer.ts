/**
 * How is a directory answered? In the form of the standard, whatever came of it.
 * Stops: answers in caches; an error that holds more than what its reader can act on, or a part of the request's body.
 * Trusts: the refusals' own sentences. Fails: nothing here can fail.
 * @see RFC 7644, sections 3.4.2, 3.12 and 3.14
 */
import type { ServerResponse } from 'node:http'
import type { Refusal } from '#kernel'
import { plainHeaders } from '../pages/page.ts'
import { refusals } from '../refusals.ts'
import { scimRefusals } from './refusals.ts'
import type { Found } from '../scim-resources/search.ts'
import { isMembers } from '../scim-resources/read-values.ts'
import type { Shown } from '../scim-resources/show.ts'

const messages = 'urn:ietf:params:scim:api:messages:2.0'

/** SPEC: RFC 7644, table 9. */
const scimTypes: Readonly<Record<string, string | undefined>> = {
  [scimRefusals.filterInvalid.code]: 'invalidFilter',
  [scimRefusals.userNameTaken.code]: 'uniqueness',
  [scimRefusals.groupTaken.code]: 'uniqueness',
  [scimRefusals.immutable.code]: 'mutability',
  [scimRefusals.syntaxInvalid.code]: 'invalidSyntax',
  [scimRefusals.pathInvalid.code]: 'invalidPath',
  [scimRefusals.targetMissing.code]: 'noTarget',
  [scimRefusals.valueInvalid.code]: 'invalidValue',
  [scimRefusals.bodyTooLarge.code]: 'tooMany',
  [scimRefusals.tooMany.code]: 'tooMany',
  [refusals.lastAdmin.code]: 'mutability',
}

interface Answer {
  readonly status: number
  /** None with 204. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends an answer. */
export function send(res: ServerResponse, { status, body, headers = {} }: Answer): void {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const sized =
    text === undefined
      ? {}
      : { 'content-type': 'application/scim+json; charset=utf-8', 'content-length': Buffer.byteLength(text) }
  res.writeHead(status, { ...plainHeaders, 'cache-control': 'no-store', ...sized, ...headers })
  res.end(text)
}

/** Sends a resource. @param of it as a whole: its version is told in a header, also where the body leaves it out */
export function sendResource(
  res: ServerResponse,
  shown: Shown,
  { isNew, meta }: { readonly isNew: boolean; readonly meta: unknown },
): void {
  const { version, location } = isMembers(meta) ? meta : {}
  send(res, {
    status: isNew ? 201 : 200,
    body: shown,
    headers: {
      ...(typeof version === 'string' ? { etag: version } : {}),
      ...(typeof location === 'string' ? (isNew ? { location } : { 'content-location': location }) : {}),
    },
  })
}

/** A list in the wrapping of the standard. */
export function listOf({ total, resources }: Found, startIndex: number): Shown {
  return {
    schemas: [`${messages}:ListResponse`],
    totalResults: total,
    startIndex,
    itemsPerPage: resources.length,
    Resources: resources,
  }
}

/** Sends a refusal. @param headers beside those that belong to its status */
export function sendRefusal(
  res: ServerResponse,
  refusal: Refusal,
  headers: Readonly<Record<string, string>> = {},
): void {
  const { status, says, hint, code } = refusal
  const scimType = scimTypes[code]
  const challenge = status === 401 ? 'Bearer error="invalid_token"' : 'Bearer error="insufficient_scope", scope="scim"'
  send(res, {
    status,
    body: {
      schemas: [`${messages}:Error`],
      status: String(status),
      ...(scimType === undefined ? {} : { scimType }),
      detail: `${says}; ${hint}`,
      code,
    },
    headers: {
      // WHY: what was not read is still on its way; the next request would begin in the middle of it.
      ...(res.req.complete ? {} : { connection: 'close' }),
      ...(status === 401 || code === scimRefusals.scopeMissing.code ? { 'www-authenticate': challenge } : {}),
      ...headers,
    },
  })
}
