/**
 * What may a client say of itself? Addresses that lead to it and nobody else, and grants that fit how it became known.
 * Stops: redirects over plain HTTP to other machines, with an account or a wildcard in them, or to what a browser runs.
 * Trusts: oidc-provider for the rest of RFC 7591. Fails: closed: metadata that break a rule are no client.
 * @see OAuth 2.1, section 2.3.1; MCP 2026-07-28, authorization: redirect URIs are loopback or https
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider'
import { tokenExchange } from '../oauth-exchange/grant-type.ts'

const loopbackName = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/
const mostRedirects = 20
const longestRedirect = 2_000
const longestName = 100
/** For clients that act for themselves or vouch for somebody: an admin registers them. */
const grantsOfAdmins = ['client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer', tokenExchange]

function invalid(says: string): never {
  throw new errors.InvalidClientMetadata(says)
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

function isPlainLoopback({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && loopbackName.test(hostname)
}

function checkRedirect(written: string): void {
  if (!URL.canParse(written)) invalid('redirect_uris must only contain valid uris')
  const url = new URL(written)
  if (written.length > longestRedirect || /[\s*\\\x00-\x1f\x7f]/.test(written)) {
    invalid('redirect_uris must not contain wildcards, spaces or control characters')
  }
  if (url.username !== '' || url.password !== '' || written.includes('#')) {
    invalid('redirect_uris must not contain accounts or fragments')
  }
  if (url.protocol === 'http:' && !loopbackName.test(url.hostname)) {
    invalid('redirect_uris must use https, or http on loopback')
  }
}

/** Judges metadata, and fills in what clients leave out. @param metadata as it came, with defaults; changed in place */
export function applyClientRules(ctx: KoaContextWithOIDC | undefined, metadata: Record<string, unknown>): void {
  const redirects = textsOf(metadata['redirect_uris'])
  if (redirects.length > mostRedirects) invalid(`redirect_uris must not contain more than ${mostRedirects}`)
  for (const redirect of redirects) checkRedirect(redirect)
  const keys = metadata['jwks_uri']
  if (typeof keys === 'string' && !/^https:/i.test(keys)) invalid('jwks_uri must use https')
  const name = metadata['client_name']
  if (typeof name === 'string' && name.length > longestName) {
    invalid(`client_name must not be longer than ${longestName} characters`)
  }
  const id = metadata['client_id']
  const isDocument = typeof id === 'string' && id.startsWith('https://')
  const isOwn = ctx?.oidc?.route === 'registration' || isDocument
  if (isOwn && textsOf(metadata['grant_types']).some((grant) => grantsOfAdmins.includes(grant))) {
    invalid('grant_types contain one that only an administrator registers')
  }
  if (isDocument && (typeof name !== 'string' || name === ''))
    invalid('client_name is mandatory in a metadata document')
  // SPEC: a metadata document has no shared secret; what it leaves out cannot mean one.
  if (isDocument && String(metadata['token_endpoint_auth_method']).startsWith('client_secret')) {
    metadata['token_endpoint_auth_method'] = 'none'
  }
  // SPEC: RFC 8252: programs on a person's machine may choose the port of their loopback address anew each time.
  const isNative = redirects.some((one) => isPlainLoopback(new URL(one)) || !/^https?:/i.test(one))
  if (isNative) metadata['application_type'] = 'native'
}
