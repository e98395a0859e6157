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
  /** Factors that were proved when the credential was made. */
  readonly factors: readonly Factor[]
  /** The OAuth client that acts for the principal, and what it was granted; only of OAuth tokens. */
  readonly client?: { readonly id: string; readonly name: string; readonly scopes: readonly string[] }
  /** Who acts for the principal by delegation, the one who holds the credential first; only of exchanged tokens. */
  readonly actors?: readonly Acting[]
  /** The credential presented: its id, never its bytes. */
  readonly credential: {
    readonly kind: 'access-token' | 'session' | 'oauth-token' | 'external-token'
    readonly id: string
    readonly expiresAt: number
  }
}

/** The same principal with the roles that are kept of the person at this moment, and those that rest on the credential. */
export function withRoles(principal: Principal, kept: readonly string[]): Principal {
  const { mappedRoles = [] } = principal
  return { ...principal, roles: mappedRoles.length === 0 ? kept : [...new Set([...kept, ...mappedRoles])].toSorted() }
}

/** Castellan itself, where the program and not a person acts: seeding, recovery. It has no roles and calls nothing. */
export const castellanItself: Principal = {
  id: 'castellan',
  name: 'castellan',
  roles: [],
  factors: [],
  credential: { kind: 'session', id: 'castellan', expiresAt: 0 },
}
