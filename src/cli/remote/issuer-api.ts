import type { AdminClient } from './admin-client.ts'
import { base, itemsOf } from './api.ts'

interface IssuerKey {
  readonly issuer: string
  readonly key: string
  readonly withdrawnAt: string
}

interface Withdrawal extends IssuerKey {
  /** Whether the issuer publishes it; null where it could not be asked. */
  readonly isPublished: boolean | null
}

/** Keys of issuers elsewhere, by the admin API of one connection. */
export function issuerApi({ call }: AdminClient) {
  const change = (verb: 'withdraw' | 'restore', body: { issuer: string; key: string }) =>
    call('POST', `${base}/issuers/keys/${verb}`, { body })
  return {
    withdrawn: async () => itemsOf<IssuerKey>(await call('GET', `${base}/issuers/keys/withdrawn`)),
    withdraw: async (issuer: string, key: string) => (await change('withdraw', { issuer, key })) as Withdrawal,
    restore: async (issuer: string, key: string) => (await change('restore', { issuer, key })) as IssuerKey,
  }
}
