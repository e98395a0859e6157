import type { AdminClient } from './admin-client.ts'
import { base, itemsOf, segment } from './api.ts'

export interface OauthClient {
  readonly id: string
  readonly name: string
  readonly registeredBy: 'administrator' | 'built-in' | 'metadata-document' | 'registration'
  readonly redirectHosts: readonly string[]
  readonly personId: string | null
  readonly actsAsPerson: boolean
  readonly exchangeResources: readonly string[]
  readonly createdAt: string
  readonly isApproved: boolean
  readonly isBlocked: boolean
}

export interface NewOauthClient {
  readonly name: string
  readonly redirectUris: readonly string[]
  readonly authentication: 'none' | 'client_secret_basic'
  readonly grantTypes: readonly string[]
  readonly personId?: string
  readonly exchangeResources?: readonly string[]
}

interface AddedOauthClient {
  readonly client: OauthClient
  /** Shown once. */
  readonly secret: string | null
}

interface KeysLeft {
  readonly name: string
  readonly keysLeft: number
}

/** OAuth clients, by the admin API of one connection. */
export function clientApi({ call }: AdminClient) {
  const path = (id: string, verb: 'approve' | 'block') => `${base}/clients/${segment(id)}/${verb}` as const
  return {
    list: async () => itemsOf<OauthClient>(await call('GET', `${base}/clients`)),
    add: async (body: NewOauthClient) => (await call('POST', `${base}/clients`, { body })) as AddedOauthClient,
    approve: async (id: string) => (await call('POST', path(id, 'approve'), { body: {} })) as OauthClient,
    block: async (id: string) => (await call('POST', path(id, 'block'), { body: {} })) as OauthClient,
    withdrawKey: async (id: string, key: string) =>
      (await call('POST', `${base}/clients/${segment(id)}/keys/withdraw`, { body: { key } })) as KeysLeft,
  }
}
