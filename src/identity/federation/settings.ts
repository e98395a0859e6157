/**
 * What can be set for an identity provider? Everything that decides who comes in by it, and with which roles.
 * Stops: a provider over plain HTTP, an issuer that could be read in two ways, a role by a group that nobody mapped.
 * Trusts: nothing typed. Fails: with the first problem, and nothing is added.
 * @see OpenID Connect Discovery 1.0, section 3; ASVS 6.8.4
 */
import { z } from 'zod'

const line = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^[^\p{Cc}]*$/u, 'expected no control characters')
const mostEntries = 1_000
const host = z
  .string()
  .max(255)
  .regex(
    /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$|^\[[0-9a-f:.]+\](:\d{1,5})?$/,
    'expected a host, such as `login.example.com`',
  )

const roles = z
  .record(line(500), z.array(line(100)).min(1).max(100))
  .refine((map) => Object.keys(map).length <= mostEntries, `expected at most ${mostEntries} groups`)

/** How a provider's answers are judged. Kept as JSON with the provider. */
export const providerSettings = z.strictObject({
  scopes: z
    .array(line(100).regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/))
    .max(50)
    .default(['openid', 'profile'])
    .refine((scopes) => scopes.includes('openid'), 'expected `openid` among the scopes'),
  /** `jit`: whoever signs in for the first time becomes a person; `linked`: only whom an admin has linked comes in. */
  provision: z.enum(['jit', 'linked']).default('linked'),
  /** Refuse whoever the provider does not show a second factor of. */
  requireMfa: z.boolean().default(false),
  /** Values of `amr` and `acr` of which one shows a second factor. */
  mfa: z
    .strictObject({ amr: z.array(line(100)).max(50).default(['mfa']), acr: z.array(line(500)).max(50).default([]) })
    .prefault({}),
  /** How long ago the person may have proved themselves there. */
  signInMaxAgeSeconds: z.int().min(60).max(7_776_000).optional(),
  /** The claim with the groups; `realm_access.roles` is a member of a claim. */
  groupsClaim: line(200).default('groups'),
  /** A group, and the roles that its members have. */
  roles: roles.default({}),
  /** Further hosts that its metadata may name, beside that of its issuer. */
  endpointHosts: z.array(host).max(50).default([]),
  /** Speak HTTP with a provider on this machine; anywhere else it stays forbidden. */
  dangerouslyAllowPlainHttp: z.boolean().default(false),
})

export type ProviderSettings = z.output<typeof providerSettings>

export const clientAuthentications = ['client_secret_basic', 'client_secret_post', 'none'] as const
export type ClientAuthentication = (typeof clientAuthentications)[number]

/** What is shown of a provider: everything but its secret. */
export interface ProviderView {
  readonly name: string
  /** On the button of the sign-in page. */
  readonly title: string
  readonly issuer: string
  readonly clientId: string
  readonly clientAuthentication: ClientAuthentication
  readonly settings: ProviderSettings
  /** Wall-clock milliseconds. */
  readonly createdAt: number
  readonly createdBy: string | null
}

/** A provider with what proves us to it. */
export interface Provider extends ProviderView {
  readonly secret: string | undefined
}

export const providerName = /^[a-z][a-z0-9-]{0,30}$/
const longestIssuer = 500
const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Why this cannot be an issuer; undefined when it can. */
export function issuerProblem(issuer: string, mayBePlain: boolean): string | undefined {
  if (issuer.length > longestIssuer || !URL.canParse(issuer)) return 'the issuer is not an address'
  const url = new URL(issuer)
  if (url.username !== '' || url.password !== '' || issuer.includes('?') || issuer.includes('#'))
    return 'the issuer has an account, a query or a fragment'
  if (url.protocol === 'https:') return undefined
  if (url.protocol === 'http:' && mayBePlain && loopback.has(url.hostname)) return undefined
  return 'the issuer is not reached over HTTPS'
}

/** Hosts that a provider may be asked at. */
export function hostsOf({ issuer, settings }: Pick<ProviderView, 'issuer' | 'settings'>): ReadonlySet<string> {
  return new Set([new URL(issuer).host, ...settings.endpointHosts])
}
