/**
 * How is a provider talked to? By what its own metadata say, as far as they speak for the issuer that was configured.
 * Stops: metadata of another issuer, endpoints at foreign hosts, redirects with credentials, endless or slow answers.
 * Trusts: the hosts that an administrator named for it, over TLS.
 * Fails: any doubt is a refusal; what failed is asked again, what succeeded is kept for ten minutes.
 * @see OpenID Connect Discovery 1.0, section 4.3; ASVS 10.5.3, 6.8.2
 */
import { type Refusal, isRefusal, refuse, systemClock } from '#kernel'
import { createFetchAt, whyNotAt } from '#platform/http'
import { type JWTVerifyGetKey, createRemoteJWKSet, customFetch as joseFetch } from 'jose'
import * as oidc from 'openid-client'
import type { Parts } from '../parts.ts'
import { federationRefusals } from './refusals.ts'
import { type Provider, hostsOf } from './settings.ts'

const keptMs = 10 * 60_000
const timeoutMs = 10_000
const maxBytes = 512 * 1024
/** Clocks of providers and this one may be apart by so much. */
export const toleranceSeconds = 30

const endpoints = [
  'authorization_endpoint',
  'token_endpoint',
  'jwks_uri',
  'userinfo_endpoint',
  'end_session_endpoint',
] as const
const needed: readonly string[] = endpoints.slice(0, 3)

export interface ProviderClient {
  readonly configuration: oidc.Configuration
  /** Its keys, fetched when they are needed. */
  readonly keys: JWTVerifyGetKey
}

export interface ProviderClients {
  of(provider: Provider): Promise<ProviderClient | Refusal>
  /** Reads the metadata and keys anew. @returns its endpoints by name, or why it cannot be used, in the detail */
  examine(provider: Provider): Promise<Readonly<Record<string, string>> | Refusal>
}

/** What is wrong with the metadata of a provider; undefined when nothing is. */
function metadataProblem(metadata: oidc.ServerMetadata, provider: Provider): string | undefined {
  if (metadata.issuer !== provider.issuer) return 'another-issuer'
  const limits = { hosts: hostsOf(provider), allowsPlainLoopback: provider.settings.dangerouslyAllowPlainHttp }
  for (const name of endpoints) {
    const address = metadata[name]
    if (address === undefined && !needed.includes(name)) continue
    if (typeof address !== 'string') return `${name} is missing`
    // INVARIANT: trust in an issuer is not trust in whatever host its metadata name.
    const problem = whyNotAt(address, limits)
    if (problem !== undefined) return `${name}: ${problem}: ${address.slice(0, 200)}`
  }
  return undefined
}

function authenticationOf({ clientAuthentication, secret }: Provider): oidc.ClientAuth {
  if (secret === undefined) return oidc.None()
  return clientAuthentication === 'client_secret_post' ? oidc.ClientSecretPost(secret) : oidc.ClientSecretBasic(secret)
}

/** What is told of a failure to investigators. */
export function reasonOf(thrown: unknown): string {
  const parts: string[] = []
  for (let at = thrown; at instanceof Error && parts.length < 4; at = at.cause) parts.push(at.message)
  return parts.join(': ').slice(0, 300)
}

function unavailable(problem: string): Refusal {
  return refuse(federationRefusals.providerUnavailable, { detail: { reason: 'provider-unavailable', problem } })
}

async function connect({ clock }: Pick<Parts, 'clock'>, provider: Provider): Promise<ProviderClient | Refusal> {
  const { settings, issuer, clientId } = provider
  const allowsPlainLoopback = settings.dangerouslyAllowPlainHttp
  const ask = createFetchAt({ hosts: hostsOf(provider), allowsPlainLoopback, maxBytes, timeoutMs })
  const fetchThere: oidc.CustomFetch = (address, { body, method, headers }) =>
    // WHY: the library sends forms or nothing.
    ask(address, { method, headers, ...(body instanceof URLSearchParams ? { body } : {}) })
  const skew = Math.round((clock.now() - systemClock.now()) / 1000)
  try {
    const configuration = await oidc.discovery(
      new URL(issuer),
      clientId,
      { [oidc.clockSkew]: skew, [oidc.clockTolerance]: toleranceSeconds },
      authenticationOf(provider),
      {
        [oidc.customFetch]: fetchThere,
        // INVARIANT: the signature of an ID token counts, also when it comes over TLS.
        execute: [oidc.enableNonRepudiationChecks, ...(allowsPlainLoopback ? [oidc.allowInsecureRequests] : [])],
      },
    )
    const metadata = configuration.serverMetadata()
    const problem = metadataProblem(metadata, provider)
    if (problem !== undefined) return unavailable(problem)
    const keys = createRemoteJWKSet(new URL(metadata.jwks_uri ?? issuer), { [joseFetch]: ask })
    return { configuration, keys }
  } catch (error) {
    return unavailable(reasonOf(error))
  }
}

interface Kept {
  readonly fingerprint: string
  readonly until: number
  readonly client: Promise<ProviderClient | Refusal>
}

export function createProviderClients(parts: Pick<Parts, 'clock'>): ProviderClients {
  const known = new Map<string, Kept>()

  async function of(provider: Provider): Promise<ProviderClient | Refusal> {
    const now = parts.clock.now()
    const fingerprint = JSON.stringify(provider)
    const kept = known.get(provider.name)
    if (kept !== undefined && kept.fingerprint === fingerprint && now < kept.until) return kept.client
    const fresh: Kept = { fingerprint, until: now + keptMs, client: connect(parts, provider) }
    known.set(provider.name, fresh)
    const client = await fresh.client
    if (isRefusal(client) && known.get(provider.name) === fresh) known.delete(provider.name)
    return client
  }

  return {
    of,
    async examine(provider) {
      known.delete(provider.name)
      const client = await of(provider)
      if (isRefusal(client)) return client
      const metadata = client.configuration.serverMetadata()
      return Object.fromEntries(
        ['issuer', ...endpoints].flatMap((name) =>
          typeof metadata[name] === 'string' ? [[name, metadata[name]]] : [],
        ),
      )
    },
  }
}
