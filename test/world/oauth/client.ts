import { createHash, randomBytes } from 'node:crypto'
import type { Person } from '../people.ts'
import { createVisitor, type Visitor } from './visitor.ts'

/** An answer of the authorization server. */
export interface Told {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Headers
}

export const nativeRedirect = 'http://127.0.0.1:33418/callback'

/** Posts a form to a path of the authorization server. */
export async function post(
  gatewayUrl: string,
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Told> {
  const response = await fetch(`${gatewayUrl}${path}`, { method: 'POST', body: new URLSearchParams(fields), headers })
  const text = await response.text()
  const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text }
  return { status: response.status, body, headers: response.headers }
}

/** Registers a client by RFC 7591. */
export async function register(gatewayUrl: string, metadata: Record<string, unknown> = {}): Promise<Told> {
  const response = await fetch(`${gatewayUrl}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Test client',
      redirect_uris: [nativeRedirect],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      ...metadata,
    }),
  })
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    headers: response.headers,
  }
}

export interface Asking {
  readonly clientId: string
  readonly resource: string
  readonly redirectUri?: string
  readonly scope?: string
  readonly state?: string
}

/** A request for authorization, and what is needed to redeem its code. */
export function authorizationRequest(gatewayUrl: string, asking: Asking, more: Record<string, string> = {}) {
  const verifier = randomBytes(32).toString('base64url')
  const { clientId, resource, redirectUri = nativeRedirect, scope = 'mcp', state = 'a state' } = asking
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope,
    state,
    resource,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...more,
  })
  return { address: `${gatewayUrl}/oauth/authorize?${query.toString()}`, verifier, redirectUri }
}

/** A client in the middle of a flow: it has a code. */
export interface WithCode {
  readonly clientId: string
  readonly code: string
  readonly verifier: string
  readonly redirectUri: string
  readonly resource: string
}

/** Registers a client and lets a person say yes to it. */
export async function obtainCode(
  gatewayUrl: string,
  person: Person,
  asking: Partial<Asking> & { visitor?: Visitor } = {},
): Promise<WithCode> {
  const clientId = asking.clientId ?? String((await register(gatewayUrl)).body['client_id'])
  const resource = asking.resource ?? `${gatewayUrl}/servers/books/mcp`
  const request = authorizationRequest(gatewayUrl, { ...asking, clientId, resource })
  const visitor = asking.visitor ?? createVisitor(gatewayUrl)
  const answer = await visitor.decide(request.address, person)
  const code = answer.searchParams.get('code')
  if (code === null) throw new Error(`no code: ${answer.href}`)
  return { clientId, code, verifier: request.verifier, redirectUri: request.redirectUri, resource }
}

/** Redeems a code. */
export function redeem(gatewayUrl: string, held: WithCode, more: Record<string, string> = {}): Promise<Told> {
  return post(gatewayUrl, '/oauth/token', {
    grant_type: 'authorization_code',
    client_id: held.clientId,
    code: held.code,
    code_verifier: held.verifier,
    redirect_uri: held.redirectUri,
    resource: held.resource,
    ...more,
  })
}

/** Uses a refresh token. */
export function refresh(
  gatewayUrl: string,
  held: { readonly clientId: string; readonly refreshToken: string },
  more: Record<string, string> = {},
): Promise<Told> {
  const fields = { grant_type: 'refresh_token', client_id: held.clientId, refresh_token: held.refreshToken }
  return post(gatewayUrl, '/oauth/token', { ...fields, ...more })
}

export interface Tokens {
  readonly clientId: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly resource: string
}

/** The whole flow: a client with tokens of a person. */
export async function obtainTokens(
  gatewayUrl: string,
  person: Person,
  asking: Parameters<typeof obtainCode>[2] = {},
): Promise<Tokens> {
  const held = await obtainCode(gatewayUrl, person, asking)
  const { status, body } = await redeem(gatewayUrl, held)
  if (status !== 200) throw new Error(`no tokens: ${status} ${JSON.stringify(body)}`)
  const { clientId, resource } = held
  return { clientId, resource, accessToken: String(body['access_token']), refreshToken: String(body['refresh_token']) }
}
