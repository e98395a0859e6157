import type { AdminClient } from './admin-client.ts'
import { base, itemsOf, segment, type TokenView } from './api.ts'

export interface ServiceAccount {
  readonly id: string
  readonly name: string
  readonly purpose: string
  readonly state: 'active' | 'suspended' | 'expired' | 'unowned'
  readonly owner: { readonly id: string; readonly name: string }
  readonly roles: readonly string[]
  readonly mayReadAdmin: boolean
  readonly createdAt: string
  readonly expiresAt: string
  readonly daysLeft: number
}

export interface WholeServiceAccount extends ServiceAccount {
  readonly tokens: readonly Omit<TokenView, 'personId'>[]
  readonly clients: readonly { readonly id: string; readonly name: string; readonly isBlocked: boolean }[]
}

interface NewServiceAccount {
  readonly name: string
  readonly purpose: string
  readonly owner: string
  readonly days?: number
  readonly roles: readonly string[]
  readonly mayReadAdmin: boolean
}

/** What is done to one that needs nothing more to be said. */
export type AccountVerb = 'suspend' | 'resume' | 'remove'

/** Service accounts, by the admin API of one connection. */
export function serviceAccountApi({ call }: AdminClient) {
  const path = (name: string, rest = '') => `${base}/service-accounts/${segment(name)}${rest}` as const
  const post = async (name: string, rest: string, body: object) =>
    (await call('POST', path(name, rest), { body })) as ServiceAccount
  return {
    list: async () => itemsOf<ServiceAccount>(await call('GET', `${base}/service-accounts`)),
    add: async (body: NewServiceAccount) =>
      (await call('POST', `${base}/service-accounts`, { body })) as ServiceAccount,
    find: async (name: string) => (await call('GET', path(name))) as WholeServiceAccount,
    renew: (name: string, days?: number) => post(name, '/renew', days === undefined ? {} : { days }),
    assign: (name: string, owner: string) => post(name, '/assign', { owner }),
    change: (name: string, verb: AccountVerb) => post(name, `/${verb}`, {}),
    mint: async (name: string, body: { label: string; resource: string; ttlSeconds: number }) =>
      (await call('POST', path(name, '/tokens'), { body })) as { token: string; view: Omit<TokenView, 'personId'> },
  }
}
