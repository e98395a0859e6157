/** How the principal proved who they are. */
export type Factor = 'password' | 'totp' | 'recovery-code'

/** Who is asking: a verified person. There is no anonymous principal. */
export interface Principal {
  /** The person's id; stable, unlike the name. */
  readonly id: string
  readonly name: string
  /** Sorted. */
  readonly roles: readonly string[]
  /** Factors that were proved when the credential was made. */
  readonly factors: readonly Factor[]
  /** The credential presented: its id, never its bytes. */
  readonly credential: {
    readonly kind: 'access-token' | 'session'
    readonly id: string
    readonly expiresAt: number
  }
}

/** Castellan itself, where the program and not a person acts: seeding, recovery. It has no roles and calls nothing. */
export const castellanItself: Principal = {
  id: 'castellan',
  name: 'castellan',
  roles: [],
  factors: [],
  credential: { kind: 'session', id: 'castellan', expiresAt: 0 },
}
