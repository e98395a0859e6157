/**
 * What do an issuer's claims mean here? Roles by the configured mapping alone, factors as far as the token shows them.
 * Stops: a claim being a role by its own text; a group of one issuer meaning what it means at another.
 * Trusts: the mapping of the very issuer that signed. Fails: what is missing, malformed or not named gives nothing.
 * @see RFC 8176; RFC 9068, section 2.2; ASVS 6.8.4, 10.3.2, 10.3.4
 */
import { hash } from 'node:crypto'
import type { Factor } from '#kernel'
import type { IssuerSettings } from './settings.ts'

type Claims = Readonly<Record<string, unknown>>

export interface MappedClaims {
  /** Sorted, each once. */
  readonly roles: readonly string[]
  readonly factors: readonly Factor[]
  readonly scopes: readonly string[]
  /** Every claim that is a text or a list of texts, for rules to read. */
  readonly claims: Readonly<Record<string, readonly string[]>>
  /** When the person signed in at the issuer, in milliseconds, if it says so. */
  readonly factorsAt: number | undefined
  /** What is shown of the person, if they have a name. */
  readonly name: string | undefined
  /** Changes when something does that roles are mapped from. */
  readonly claimsHash: string
}

const mostGroups = 2_000
const mostScopes = 200
const secondMs = 1_000
/** The scope of MCP at this gateway. */
const ownScope = 'mcp'

/** A claim by its name, or by the way to a member of one. */
function claimOf(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  let value: unknown = claims
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Claims)[name]
  }
  return value
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value)) return []
  return value.slice(0, mostGroups).filter((one): one is string => typeof one === 'string')
}

/** SPEC: RFC 6749, section 3.3. Some issuers write a list, or name it `scp`. */
function scopesOf(claims: Claims): readonly string[] {
  const written = claims['scope'] ?? claims['scp']
  const scopes = typeof written === 'string' ? written.split(' ') : textsOf(written)
  return [...new Set(scopes.filter((scope) => scope !== ''))].slice(0, mostScopes)
}

function hasSecondFactor(claims: Claims, { mfa }: IssuerSettings): boolean {
  const { acr } = claims
  return (
    textsOf(claims['amr']).some((one) => mfa.amr.includes(one)) || (typeof acr === 'string' && mfa.acr.includes(acr))
  )
}

/** The first moment, in milliseconds, at which the sign-in at the issuer is too old; without the claim it always was. */
export function signInEndsAt(claims: Claims, settings: IssuerSettings): number {
  const { signInMaxAgeSeconds: most, clockSkewSeconds } = settings
  if (most === undefined) return Number.POSITIVE_INFINITY
  const { auth_time: at } = claims
  return typeof at === 'number' ? (at + most + clockSkewSeconds) * secondMs : 0
}

/** Why the way the person signed in at the issuer is not enough; undefined when it is. Missing is the weakest. */
export function weaknessOf(claims: Claims, settings: IssuerSettings, nowMs: number): string | undefined {
  if (settings.requireMfa && !hasSecondFactor(claims, settings)) return 'no-second-factor'
  if (settings.signInMaxAgeSeconds === undefined) return undefined
  const { auth_time: at } = claims
  const isLater = typeof at === 'number' && at * secondMs > nowMs + settings.clockSkewSeconds * secondMs
  return nowMs < signInEndsAt(claims, settings) && !isLater ? undefined : 'sign-in-too-old'
}

/** WHY: they differ from token to token and say nothing of the person. */
const ofTheToken = new Set(['jti', 'nonce', 'sid', 'at_hash', 'c_hash', 'uti'])
const mostClaims = 100
const longestValue = 1_000

/** INVARIANT: a claim that cannot be kept whole is left out: a part of a list would pass for the list. */
function readableClaims(claims: Claims): Record<string, readonly string[]> {
  const kept = Object.entries(claims).flatMap(([name, value]): [string, readonly string[]][] => {
    const texts = textsOf(value)
    const size = Array.isArray(value) ? value.length : 1
    const isWhole = texts.length > 0 && texts.length === size
    if (!isWhole || ofTheToken.has(name) || !name.isWellFormed()) return []
    return texts.every((text) => text.length <= longestValue && text.isWellFormed()) ? [[name, texts]] : []
  })
  return Object.fromEntries(kept.slice(0, mostClaims))
}

function signedInAt({ auth_time: at }: Claims): number | undefined {
  return typeof at === 'number' && Number.isFinite(at) ? at * secondMs : undefined
}

export function mapClaims(claims: Claims, settings: IssuerSettings): MappedClaims {
  const groups = [...new Set(textsOf(claimOf(claims, settings.claims.groups)))].toSorted()
  const given = groups.flatMap((group) => (Object.hasOwn(settings.roles, group) ? (settings.roles[group] ?? []) : []))
  const granted = scopesOf(claims)
  const isGranted = settings.scopes.every((scope) => granted.includes(scope))
  const name = claimOf(claims, settings.claims.name)
  return {
    roles: [...new Set(given)].toSorted(),
    factors: hasSecondFactor(claims, settings) ? ['identity-provider', 'identity-provider-mfa'] : ['identity-provider'],
    // INVARIANT: `mcp` is what the configured scopes stand for; an issuer's own scope of that name is not.
    scopes: [...granted.filter((scope) => scope !== ownScope), ...(isGranted ? [ownScope] : [])],
    claims: readableClaims(claims),
    factorsAt: signedInAt(claims),
    name: typeof name === 'string' ? name : undefined,
    claimsHash: hash('sha256', JSON.stringify(groups)),
  }
}
