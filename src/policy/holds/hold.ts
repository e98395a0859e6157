/**
 * What is a hold, and is a proposed one well formed?
 * Stops: a hold on nothing, which would look like containment and be none.
 * Trusts: nothing; every field is checked, also its type.
 * Fails: the first thing wrong is refused by name.
 */
import { refuse, type Refusal } from '#kernel'
import { canonicalNetwork } from '#platform/http'
import { policyRefusals } from '../refusals.ts'
import { isOneLine, isUpstreamName } from '../roles/role.ts'

export type HoldKind = 'person' | 'client' | 'address' | 'tool' | 'upstream' | 'everything'

/** Something that is stopped until the hold is lifted or expires. Times in milliseconds since the epoch. */
export interface Hold {
  readonly id: string
  readonly kind: HoldKind
  /** Person id, id of an OAuth client or service account, network, `<upstream>/<tool>`, `<upstream>`, or empty for everything. */
  readonly subject: string
  readonly reason: string
  /** Person id. */
  readonly placedBy: string
  readonly placedAt: number
  readonly expiresAt?: number
  readonly liftedAt?: number
  readonly liftedBy?: string
}

export interface ProposedHold {
  readonly kind: HoldKind
  /** May be left out for everything. */
  readonly subject?: string | undefined
  readonly reason: string
  readonly expiresAt?: number | undefined
}

export const maxReasonLength = 500
const maxSubjectLength = 2_048

/** The one spelling of an address or a network in CIDR notation; undefined for what is none. */
export function networkOf(written: string): string | undefined {
  try {
    return canonicalNetwork(written)
  } catch {
    return undefined
  }
}

function isSubject(kind: HoldKind, subject: string): boolean {
  if (!isOneLine(subject, maxSubjectLength)) return false
  const slash = subject.indexOf('/')
  switch (kind) {
    case 'everything':
      return subject === ''
    case 'person':
    case 'client':
      return subject !== ''
    case 'address':
      return networkOf(subject) !== undefined
    case 'upstream':
      return isUpstreamName(subject)
    case 'tool':
      return slash > 0 && isUpstreamName(subject.slice(0, slash)) && slash + 1 < subject.length
    default:
      return false
  }
}

/** What is wrong with a proposed hold, or undefined. Whether a person exists is not asked here. */
export function checkHold({ kind, subject = '', reason, expiresAt }: ProposedHold, nowMs: number): Refusal | undefined {
  if (!isSubject(kind, subject)) {
    return refuse(policyRefusals.holdSubjectInvalid, { names: { subject: String(subject), kind: String(kind) } })
  }
  if (!isOneLine(reason, maxReasonLength) || reason.trim() === '') {
    return refuse(policyRefusals.holdReasonInvalid, { names: { limit: String(maxReasonLength) } })
  }
  const isLater = expiresAt === undefined || (Number.isSafeInteger(expiresAt) && expiresAt > nowMs)
  return isLater ? undefined : refuse(policyRefusals.holdExpiryInvalid)
}

/** Is the hold stopping anything at this moment? */
export function isInForce(hold: Hold, nowMs: number): boolean {
  return hold.liftedAt === undefined && (hold.expiresAt === undefined || hold.expiresAt > nowMs)
}
