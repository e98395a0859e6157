import type { World } from '../castellan.ts'

/** An answer of the provisioning endpoint. */
export interface ScimAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
  readonly text: string
}

export interface ScimRequest {
  readonly body?: unknown
  readonly headers?: Record<string, string>
  /** Of the connection unless told. */
  readonly token?: string
  readonly gatewayUrl?: string
}

/** A directory that provisions people, as Entra and Okta do. */
export interface Directory {
  readonly name: string
  readonly token: string
  /** @param path below `/scim/v2` */
  send(method: string, path: string, request?: ScimRequest): Promise<ScimAnswer>
  /** Makes a person and returns the id. */
  makeUser(userName: string, more?: Record<string, unknown>): Promise<string>
  makeGroup(displayName: string, members?: readonly string[]): Promise<string>
  patch(path: string, operations: readonly unknown[], request?: ScimRequest): Promise<ScimAnswer>
}

export const schemas = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  enterprise: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  patch: 'urn:ietf:params:scim:api:messages:2.0:PatchOp',
  list: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  error: 'urn:ietf:params:scim:api:messages:2.0:Error',
} as const

/** One request of a directory. */
export async function sendScim(
  gatewayUrl: string,
  token: string | undefined,
  request: { method: string; path: string } & ScimRequest,
): Promise<ScimAnswer> {
  const { method, path, body, headers = {} } = request
  const response = await fetch(`${gatewayUrl}/scim/v2${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/scim+json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  const read = isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {}
  return { status: response.status, headers: response.headers, body: read, text }
}

/** Adds a connection as the administrator of a world, and speaks for it. */
export async function addDirectory(
  world: World,
  name = 'entra',
  options: Record<string, unknown> = {},
): Promise<Directory> {
  const added = await world.ana.api('POST', '/scim-connections', { name, ttlSeconds: 86_400 * 30, ...options })
  if (added.status !== 201) throw new Error(`no directory: ${JSON.stringify(added.body)}`)
  const token = String(added.body['token'])
  const send: Directory['send'] = (method, path, request = {}) =>
    sendScim(request.gatewayUrl ?? world.gatewayUrl, request.token ?? token, { method, path, ...request })
  const make = async (path: string, body: Record<string, unknown>) => {
    const made = await send('POST', path, { body })
    if (made.status !== 201) throw new Error(`not made: ${made.status} ${made.text}`)
    return String(made.body['id'])
  }
  return {
    name,
    token,
    send,
    makeUser: (userName, more = {}) => make('/Users', { schemas: [schemas.user], userName, ...more }),
    makeGroup: (displayName, members = []) =>
      make('/Groups', { schemas: [schemas.group], displayName, members: members.map((value) => ({ value })) }),
    patch: (path, operations, request = {}) =>
      send('PATCH', path, { ...request, body: { schemas: [schemas.patch], Operations: operations } }),
  }
}
