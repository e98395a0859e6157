import type { AdminClient } from './admin-client.ts'
import { base, itemsOf, segment } from './api.ts'

/** What a person can prove themselves with. */
export interface Factor {
  readonly id: string
  readonly kind: 'password' | 'totp' | 'passkey' | 'recovery-codes'
  readonly name: string
  readonly createdAt: string | null
  readonly lastUsedAt: string | null
}

export type Lost = 'password-lost' | 'factors-lost'

export interface Reset {
  readonly id: string
  readonly person: { readonly id: string; readonly name: string }
  readonly kind: Lost
  readonly reason: string
  readonly startedAt: string
  readonly expiresAt: string
  readonly approvedBy: readonly string[]
  readonly approvalsNeeded: number
}

/** The link is there once enough administrators have agreed. */
export interface ResetStep {
  readonly reset: Reset
  readonly link: { readonly url: string; readonly expiresAt: string } | null
}

/** Factors of people, and ways back in for those who lost theirs. */
export function recoveryApi({ call }: AdminClient) {
  const person = (name: string, rest: string) => `${base}/people/${segment(name)}${rest}` as const
  return {
    factors: async (name: string) => itemsOf<Factor>(await call('GET', person(name, '/factors'))),
    revoke: (name: string, id: string) => call('DELETE', person(name, `/factors/${segment(id)}`)),
    start: async (name: string, body: { kind: Lost; reason: string }) =>
      (await call('POST', person(name, '/resets'), { body })) as ResetStep,
    list: async () => itemsOf<Reset>(await call('GET', `${base}/resets`)),
    approve: async (id: string) =>
      (await call('POST', `${base}/resets/${segment(id)}/approve`, { body: {} })) as ResetStep,
    cancel: (id: string) => call('DELETE', `${base}/resets/${segment(id)}`),
  }
}
