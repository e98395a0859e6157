/**
 * Where are an issuer's keys? As configured, or as its metadata says, if that is the metadata of this very issuer.
 * Stops: trust in one issuer leading to another's endpoints: each has to be at the issuer's own authority, or listed.
 * Trusts: TLS for who answers; loopback for issuers on this machine. Fails: with an Error whose message is for the log.
 * @see RFC 8414, sections 3 and 3.3; OpenID Connect Discovery 1.0, section 4
 */
import { createFetchAt, type FetchAt } from '#platform/http'
import { readStrictObject } from '#protocol'
import { type IssuerKey, readKeySet } from './key-set.ts'
import type { IssuerSettings } from './settings.ts'

const limits = { maxBytes: 256 * 1_024, timeoutMs: 5_000 }
const jsonType = /^application\/([a-z0-9.+-]+\+)?json *(;|$)/i

type Places = Pick<IssuerSettings, 'issuer' | 'jwksUri' | 'endpointHosts'>

/** Where metadata may lie, in the order in which it is looked for. */
function metadataAddresses(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const appended = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  return [...new Set([appended, `${origin}/.well-known/oauth-authorization-server${path}`])]
}

/** INVARIANT: what the metadata names is at the issuer's own authority, or at one that an operator listed. */
function checkEndpoint(address: unknown, { issuer, endpointHosts }: Places): string {
  if (typeof address !== 'string' || !URL.canParse(address)) throw new Error('the metadata names no keys')
  const [url, own] = [new URL(address), new URL(issuer)]
  const isPlainElsewhere = url.protocol !== 'https:' && !(url.protocol === 'http:' && own.protocol === 'http:')
  if (isPlainElsewhere || url.username !== '' || url.password !== '') throw new Error('the keys are not at HTTPS')
  const isKnown = url.origin === own.origin || endpointHosts.includes(url.host)
  if (!isKnown) throw new Error(`the keys are at another host: ${url.host}`)
  return url.href
}

async function readText(fetchAt: FetchAt, address: string): Promise<string> {
  const response = await fetchAt(address, { headers: { accept: 'application/json' } })
  if (response.status !== 200) throw new Error(`status ${response.status}`)
  if (!jsonType.test(response.headers.get('content-type') ?? '')) throw new Error('not JSON')
  const bytes = await response.arrayBuffer()
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}

async function readMetadata(fetchAt: FetchAt, places: Places): Promise<string> {
  let failure: unknown
  for (const address of metadataAddresses(places.issuer)) {
    const text = await readText(fetchAt, address).catch((thrown: unknown) => void (failure = thrown))
    if (text === undefined) continue
    const metadata = readStrictObject(text)
    if (metadata?.['issuer'] !== places.issuer) throw new Error('the metadata is that of another issuer')
    return checkEndpoint(metadata['jwks_uri'], places)
  }
  throw new Error('there is no metadata', { cause: failure })
}

/** Makes the function that fetches the keys of an issuer as they are at that moment. It rejects with an Error. */
export function createFindKeys(places: Places): () => Promise<readonly IssuerKey[]> {
  const { issuer, jwksUri, endpointHosts } = places
  const known = [issuer, ...(jwksUri === undefined ? [] : [jwksUri])].map((address) => new URL(address))
  const hosts = new Set([...known.map((url) => url.host), ...endpointHosts])
  const allowsPlainLoopback = known.some((url) => url.protocol === 'http:')
  const fetchAt = createFetchAt({ ...limits, hosts, allowsPlainLoopback })
  return async () => readKeySet(await readText(fetchAt, jwksUri ?? (await readMetadata(fetchAt, places))))
}
