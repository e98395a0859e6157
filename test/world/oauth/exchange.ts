import type { World } from '../castellan.ts'
import { post, type Told } from './client.ts'

export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
export const jwtType = 'urn:ietf:params:oauth:token-type:jwt'

/** A client that an administrator lets exchange tokens. */
export interface ExchangingClient {
  readonly id: string
  readonly secret: string
  /** Exchanges an access token for the first of its resources, unless the fields say otherwise. */
  exchange(token: string, more?: Record<string, string>, headers?: Record<string, string>): Promise<Told>
  /** Asks for a token for itself; of one with a service account. */
  own(resource: string): Promise<string>
  /** Asks what one of its tokens is. */
  inspect(token: string): Promise<Told>
}

/** The full address of a path of the gateway. */
export function placeOf(world: World, path: string): string {
  return `${world.gatewayUrl}${path}`
}

/** Registers a client that may exchange tokens for these paths. @param personId of the service account it acts as */
export async function addExchangingClient(
  world: World,
  paths: readonly string[],
  { name = 'agents', personId }: { readonly name?: string; readonly personId?: string } = {},
): Promise<ExchangingClient> {
  const resources = paths.map((path) => placeOf(world, path))
  const { status, body } = await world.ana.api('POST', '/clients', {
    name,
    authentication: 'client_secret_basic',
    grantTypes: [exchangeGrant, ...(personId === undefined ? [] : ['client_credentials'])],
    exchangeResources: resources,
    ...(personId === undefined ? {} : { personId }),
  })
  if (status !== 201) throw new Error(`no client: ${status} ${JSON.stringify(body)}`)
  const { id } = body['client'] as { id: string }
  const secret = String(body['secret'])
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
  const ask = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
    post(world.gatewayUrl, '/oauth/token', fields, { authorization, ...headers })
  const inspect = (token: string) => post(world.gatewayUrl, '/oauth/introspect', { token }, { authorization })
  return {
    id,
    secret,
    inspect,
    exchange(token, more = {}, headers = {}) {
      const fields = { grant_type: exchangeGrant, subject_token: token, subject_token_type: accessTokenType, ...more }
      const target = 'resource' in more || 'audience' in more ? {} : { resource: resources[0] ?? '' }
      const sent = Object.entries({ ...fields, ...target }).filter(([, value]) => value !== '')
      return ask(Object.fromEntries(sent), headers)
    },
    async own(resource) {
      const told = await ask({ grant_type: 'client_credentials', scope: 'mcp', resource })
      return String(told.body['access_token'])
    },
  }
}
