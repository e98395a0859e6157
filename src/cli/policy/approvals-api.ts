import type { AdminClient } from '../remote/admin-client.ts'
import { base, itemsOf, segment } from '../remote/api.ts'

export interface WaitingLine {
  readonly id: string
  readonly person: string
  readonly client: string
  readonly upstream: string
  readonly kind: string
  readonly name: string
  readonly state: string
  readonly createdAt: string
  readonly expiresAt: string
}

export interface WaitingCall extends WaitingLine {
  /** The whole call as JSON. */
  readonly call: string
  readonly callHash: string
  readonly snapshot: number
  readonly rules: readonly {
    readonly rule: string
    readonly kind: string
    readonly roles: readonly string[]
    readonly count: number
    readonly text: string | null
  }[]
  readonly missing: readonly { readonly rule: string; readonly kind: string; readonly count: number }[]
  readonly said: readonly { readonly name: string; readonly deed: string; readonly text: string; readonly at: string }[]
}

export interface Answered {
  readonly id: string
  readonly state: string
  readonly missing: number
}

/** Calls that wait for whoever is signed in, by the admin API of one connection. */
export function approvalApi({ call }: AdminClient) {
  return {
    list: async () => itemsOf<WaitingLine>(await call('GET', `${base}/approvals`)),
    show: async (id: string) => (await call('GET', `${base}/approvals/${segment(id)}`)) as WaitingCall,
    answer: async (id: string, deed: 'approve' | 'deny', reason: string) =>
      (await call('POST', `${base}/approvals/${segment(id)}/${deed}`, { body: { reason } })) as Answered,
  }
}
