/** How the principal proved who they are. */
export type Factor =
  | 'password'
  | 'totp'
  | 'recovery-code'
  | 'passkey'
  /** An identity provider vouches for the person; with `identity-provider-mfa` also for a second factor. */
  | 'identity-provider'
  | 'identity-provider-mfa'
  /** A program's own secret or key: service accounts. */
  | 'client-secret'
  | 'client-key'

/** Who acts for somebody else: an OAuth client, or the service account that it showed a token of. */
export interface Acting {
  readonly id: string
  readonly name: string
  /** The client's id. */
  readonly client: string
}

/** Who is asking: a verified person, or a program that a person answers for. There is no anonymous principal. */
export interface Principal {
  /** The person's id; stable, unlike the name. */
  readonly id: string
  readonly name: string
  /** A service account: nobody who can sign in. Absent of a person. */
  readonly isService?: true
  /** Sorted. */
  readonly roles: readonly string[]
  /** Those of them that rest on the credential itself and not on what is kept of the person. */
  readonly mappedRoles?: readonly string[]
  /** The groups that directories have the principal in, as `<directory>/<group>`; absent where there are none. */
  readonly groups?: readonly string[]
  /** What the issuer of the credential says besides, by the names of its claims; only of other issuers. */
  readonly claims?: Readonly<Record<string, readonly string[]>>
  /** Factors that were proved when the credential was made. */
  readonly factors: readonly Factor[]
  /** When they were proved, in milliseconds since the epoch; absent where nobody knows. */
  readonly factorsAt?: number
  /** The OAuth client that acts for the principal, and what it was granted; only of OAuth tokens. */
  readonly client?: {
    readonly id: string
    readonly name: string
    readonly scopes: readonly string[]
    /** It registered itself; nobody of the company looked at it. */
    readonly isSelfRegistered?: boolean
  }
  /** Who acts for the principal by delegation, the one who holds the credential first; only of exchanged tokens. */
  readonly actors?: readonly Acting[]
  /** The credential presented: its id, never its bytes. */
  readonly credential: {
    readonly kind: 'access-token' | 'session' | 'oauth-token' | 'external-token'
    readonly id: string
    readonly expiresAt: number
  }
}

/** What is kept of a person at one moment: roles and groups, each sorted. */
export interface Kept {
  readonly roles: readonly string[]
  readonly groups: readonly string[]
}

/** The same principal with what is kept of the person at this moment, and the roles that rest on the credential. */
export function asKept(principal: Principal, { roles, groups }: Kept): Principal {
  const { mappedRoles = [] } = principal
  const all = mappedRoles.length === 0 ? roles : [...new Set([...roles, ...mappedRoles])].toSorted()
  return { ...principal, roles: all, groups }
}

/** Castellan itself, where the program and not a person acts: seeding, recovery. It has no roles and calls nothing. */
export const castellanItself: Principal = {
  id: 'castellan',
  name: 'castellan',
  roles: [],
  factors: [],
  credential: { kind: 'session', id: 'castellan', expiresAt: 0 },
}
