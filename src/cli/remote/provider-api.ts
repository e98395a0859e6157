import type { AdminClient } from './admin-client.ts'
import { base, itemsOf, segment } from './api.ts'

/** ISO 8601 in UTC. */
type Moment = string

export interface ProviderSettings {
  readonly scopes?: readonly string[]
  readonly provision?: 'jit' | 'linked'
  readonly requireMfa?: boolean
  readonly mfa?: { readonly amr?: readonly string[]; readonly acr?: readonly string[] }
  readonly signInMaxAgeSeconds?: number
  readonly groupsClaim?: string
  readonly roles?: Readonly<Record<string, readonly string[]>>
  readonly endpointHosts?: readonly string[]
  readonly dangerouslyAllowPlainHttp?: boolean
}

export interface Provider {
  readonly name: string
  readonly title: string
  readonly issuer: string
  readonly clientId: string
  readonly settings: Required<ProviderSettings>
  readonly redirectUri: string
  readonly backchannelLogoutUri: string
  readonly postLogoutRedirectUri: string
}

export interface NewProvider {
  readonly name: string
  readonly title?: string
  readonly issuer: string
  readonly clientId: string
  readonly clientAuthentication?: string
  readonly clientSecret?: string
  readonly settings: ProviderSettings
}

export interface ProviderTest {
  readonly isUsable: boolean
  readonly problem: string | null
  readonly endpoints: Readonly<Record<string, string>>
}

export interface ProviderLink {
  readonly subject: string
  readonly personId: string
  readonly createdAt: Moment
  readonly lastSeenAt: Moment | null
}

/** Identity providers, by the admin API. */
export function providerApi({ call }: AdminClient) {
  const path = (name: string, rest = '') => `${base}/providers/${segment(name)}${rest}` as const
  return {
    list: async () => itemsOf<Provider>(await call('GET', `${base}/providers`)),
    add: async (body: NewProvider) => (await call('POST', `${base}/providers`, { body })) as Provider,
    remove: async (name: string) => (await call('DELETE', path(name))) as { endedSessions: number },
    test: async (name: string) => (await call('POST', path(name, '/test'), { body: {} })) as ProviderTest,
    links: async (name: string) => itemsOf<ProviderLink>(await call('GET', path(name, '/links'))),
    link: (name: string, body: { person: string; subject: string }) => call('POST', path(name, '/links'), { body }),
    unlink: (name: string, subject: string) => call('DELETE', path(name, `/links/${segment(subject)}`)),
  }
}
