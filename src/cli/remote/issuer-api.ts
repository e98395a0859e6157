import type { AdminClient } from './admin-client.ts'
import { base, itemsOf } from './api.ts'

interface IssuerKey {
  readonly issuer: string
  readonly key: string
  readonly withdrawnAt: string
}

/** Keys of issuers elsewhere, by the admin API of one connection. */
export function issuerApi({ call }: AdminClient) {
  const change = async (verb: 'withdraw' | 'restore', body: { issuer: string; key: string }) =>
    (await call('POST', `${base}/issuers/keys/${verb}`, { body })) as IssuerKey
  return {
    withdrawn: async () => itemsOf<IssuerKey>(await call('GET', `${base}/issuers/keys/withdrawn`)),
    withdraw: (issuer: string, key: string) => change('withdraw', { issuer, key }),
    restore: (issuer: string, key: string) => change('restore', { issuer, key }),
  }
}
