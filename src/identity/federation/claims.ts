/**
 * What did the provider say of the person? Groups, names and how they proved themselves, read narrowly.
 * Stops: a group that is written into another one's name, a claim of an odd type, a second factor that nobody showed.
 * Trusts: claims whose signature and subject were checked before. Fails: what is missing or malformed gives nothing.
 * @see RFC 8176; ASVS 6.8.4, 10.3.4
 */
import type { Provider } from './settings.ts'

export type Claims = Readonly<Record<string, unknown>>

/** What counts of an answer. */
export interface Asserted {
  readonly subject: string
  /** Of the session at the provider. */
  readonly sid: string | undefined
  /** Seconds since the epoch. */
  readonly issuedAt: number
  readonly hasSecondFactor: boolean
  /** By the provider's mapping, each once. */
  readonly roles: readonly string[]
  /** What the person may be called, likeliest first; as it was said. */
  readonly names: readonly string[]
  readonly displayName: string | undefined
  /** By which a directory may know the account, beside its subject. */
  readonly known: { readonly oid?: string | undefined; readonly email?: string | undefined }
}

const mostGroups = 2_000
const longestSubject = 255

/** A claim by its name, or by the way to a member of one. */
export function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  let value: unknown = claims
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Claims)[name]
  }
  return value
}

/** INVARIANT: a list of texts, or one text that is one group: nothing is split, so no name can hold a second group. */
function groupsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value) || value.length > mostGroups) return []
  return value.filter((one): one is string => typeof one === 'string')
}

function rolesFor(claims: Claims, { settings }: Provider): readonly string[] {
  const mapped = new Map(Object.entries(settings.roles))
  const groups = groupsOf(claimAt(claims, settings.groupsClaim))
  return [...new Set(groups.flatMap((group) => mapped.get(group) ?? []))].toSorted()
}

function hasSecondFactor(claims: Claims, { settings: { mfa } }: Provider): boolean {
  const { amr, acr } = claims
  const isShown = Array.isArray(amr) && amr.some((one) => typeof one === 'string' && mfa.amr.includes(one))
  return isShown || (typeof acr === 'string' && mfa.acr.includes(acr))
}

function textAt(claims: Claims, name: string): string | undefined {
  const value = claims[name]
  return typeof value === 'string' ? value : undefined
}

/** Reads what counts; undefined when the subject cannot be one. @param told by the ID token, and by userinfo below it */
export function readClaims(told: { idToken: Claims; userInfo: Claims }, provider: Provider): Asserted | undefined {
  const { idToken, userInfo } = told
  // INVARIANT: who it is and how they proved it comes from the signed token alone.
  const subject = textAt(idToken, 'sub') ?? ''
  const { iat } = idToken
  if (subject === '' || subject.length > longestSubject || typeof iat !== 'number') return undefined
  const all = { ...userInfo, ...idToken }
  const name = textAt(all, 'preferred_username')
  const email = textAt(all, 'email')
  const candidates = [name, name?.split('@', 1)[0], email?.split('@', 1)[0], subject]
  return {
    subject,
    sid: textAt(idToken, 'sid'),
    issuedAt: iat,
    hasSecondFactor: hasSecondFactor(idToken, provider),
    roles: rolesFor(all, provider),
    names: candidates.filter((one) => one !== undefined),
    displayName: textAt(all, 'name'),
    known: {
      oid: textAt(idToken, 'oid'),
      // INVARIANT: only from the signed token, and only where the provider says that it has made sure.
      email: idToken['email_verified'] === true ? textAt(idToken, 'email') : undefined,
    },
  }
}
