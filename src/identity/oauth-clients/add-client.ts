/**
 * Registers a client on behalf of an admin: the only way to one that acts for itself, as a service account.
 * Stops: a client with rights that nobody gave it; a second reading of a secret.
 * Trusts: the caller for permission to act. Fails: closed: metadata that break a rule are refused, with nothing written.
 */
import { randomBytes } from 'node:crypto'
import { type Refusal, refuse } from '#kernel'
import { type AdapterPayload, type Provider, errors } from 'oidc-provider'
import type { Actor } from '../parts.ts'
import { refusals } from '../refusals.ts'
import { actsAsPerson, whyNotActing } from '../service-accounts/standing.ts'
import { tokenExchange } from '../oauth-exchange/grant-type.ts'
import type { OauthParts } from '../oauth/parts.ts'
import { grantableResource } from '../oauth/resources.ts'
import type { ClientView, Clients } from './clients.ts'

const idBytes = 12
const secretBytes = 32

export interface NewClient {
  readonly name: string
  /** Of programs that people use; none of a client that acts for itself. */
  readonly redirectUris: readonly string[]
  readonly authentication: 'none' | 'client_secret_basic' | 'private_key_jwt'
  readonly grantTypes: readonly string[]
  /** Public keys of a client that authenticates with one, as a JWK Set. */
  readonly jwks?: { readonly keys: readonly Record<string, unknown>[] } | undefined
  /** The service account that it acts as when it acts for nobody else: with client credentials only. */
  readonly personId?: string | undefined
  /** MCP servers that it may exchange people's tokens for: with the grant of token exchange only. */
  readonly exchangeResources?: readonly string[] | undefined
  readonly by: Actor
}

export interface AddedClient {
  readonly view: ClientView
  /** Shown once. */
  readonly secret?: string
}

function metadataOf(fresh: NewClient): AdapterPayload {
  const secret = randomBytes(secretBytes).toString('base64url')
  return {
    client_id: randomBytes(idBytes).toString('base64url'),
    client_name: fresh.name,
    redirect_uris: [...fresh.redirectUris],
    response_types: fresh.grantTypes.includes('authorization_code') ? ['code'] : [],
    grant_types: [...fresh.grantTypes],
    token_endpoint_auth_method: fresh.authentication,
    ...(fresh.authentication === 'client_secret_basic' ? { client_secret: secret } : {}),
    ...(fresh.jwks === undefined ? {} : { jwks: fresh.jwks as AdapterPayload['jwks'] }),
  } as AdapterPayload
}

function problem(says: string): Refusal {
  return refuse(refusals.clientMetadataInvalid, { names: { problem: says } })
}

/** Why this cannot be whom a client acts as. */
async function refuseActing({ database, clock }: OauthParts, fresh: NewClient): Promise<Refusal | undefined> {
  const actsAlone = fresh.grantTypes.includes('client_credentials')
  if (actsAlone !== (fresh.personId !== undefined)) {
    return problem('a client with client credentials acts as one service account, and only such a client does')
  }
  if (actsAlone && fresh.authentication === 'none') return problem('client credentials need a secret or a key')
  if (fresh.personId === undefined) return undefined
  const why = await whyNotActing(database.query, fresh.personId, clock.now())
  if (why === 'service-account-removed') return refuse(refusals.accountUnknown)
  if (why === actsAsPerson) return problem('a client acts as a service account, and this is a person')
  return why === undefined ? undefined : problem(`the service account does not hold: ${why}`)
}

/** Why this client may not exchange tokens for these resources. */
function refuseExchange({ places }: OauthParts, fresh: NewClient): Refusal | undefined {
  const { exchangeResources = [], grantTypes, authentication } = fresh
  if (grantTypes.includes(tokenExchange) !== exchangeResources.length > 0) {
    return problem('a client that exchanges tokens names the servers it may ask for, and only such a client does')
  }
  if (exchangeResources.length === 0) return undefined
  if (authentication === 'none') return problem('token exchange needs a secret or a key')
  const unknown = exchangeResources.find((one) => grantableResource(places.gatewayUrl, one) !== one)
  return unknown === undefined
    ? undefined
    : problem(`\`${unknown}\` is not the address of an MCP server of this gateway`)
}

/** Makes the function that registers clients for admins. */
export function createAddClient(parts: OauthParts, clients: Clients, provider: () => Promise<Provider>) {
  return async (fresh: NewClient): Promise<AddedClient | Refusal> => {
    const refusal = refuseExchange(parts, fresh) ?? (await refuseActing(parts, fresh))
    if (refusal) return refusal
    const metadata = metadataOf(fresh)
    try {
      const { Client } = await provider()
      // WHY: the provider's types leave out how it judges metadata without storing them.
      const validate: unknown = Reflect.get(Client, 'validate')
      if (typeof validate !== 'function') throw new TypeError('metadata cannot be judged')
      await Reflect.apply(validate, Client, [metadata])
    } catch (error) {
      if (error instanceof errors.OIDCProviderError) return problem(error.error_description ?? error.error)
      throw error
    }
    const { by, personId, exchangeResources } = fresh
    const view = await clients.add(metadata, { by, personId, exchangeResources })
    return { view, ...(typeof metadata.client_secret === 'string' ? { secret: metadata.client_secret } : {}) }
  }
}
