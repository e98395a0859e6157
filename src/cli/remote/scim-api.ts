import type { AdminClient } from './admin-client.ts'
import { base, itemsOf, segment } from './api.ts'

/** ISO 8601 in UTC. */
type Moment = string

export interface ScimConnection {
  readonly name: string
  readonly expiresAt: Moment | null
  readonly clientId: string | null
  readonly provider: string | null
  readonly linkBy: string
  readonly people: number
  readonly groups: number
  readonly mappings: readonly { readonly group: string; readonly role: string }[]
  readonly url: string
  readonly createdAt: Moment
}

/** A connection and its token, which is shown once. */
export interface ScimToken {
  readonly connection: ScimConnection
  readonly token: string | null
}

/** How many people got and lost each role. */
export interface ScimRoleChanges {
  readonly added: Readonly<Record<string, number>>
  readonly removed: Readonly<Record<string, number>>
}

interface NewScimConnection {
  readonly name: string
  readonly ttlSeconds?: number
  readonly clientId?: string
  readonly provider?: string
  readonly linkBy?: string
}

interface ScimMapping {
  readonly group: string
  readonly role: string
}

/** Directories that provision people, by the admin API. */
export function scimApi({ call }: AdminClient) {
  const path = (name: string, rest = '') => `${base}/scim-connections/${segment(name)}${rest}` as const
  return {
    list: async () => itemsOf<ScimConnection>(await call('GET', `${base}/scim-connections`)),
    add: async (body: NewScimConnection) => (await call('POST', `${base}/scim-connections`, { body })) as ScimToken,
    rotate: async (name: string, ttlSeconds: number) =>
      (await call('POST', path(name, '/rotate'), { body: { ttlSeconds } })) as ScimToken,
    remove: async (name: string) => (await call('DELETE', path(name))) as { people: number; groups: number },
    map: async (name: string, body: ScimMapping & { makesAdministrators: boolean }) =>
      (await call('POST', path(name, '/mappings'), { body })) as ScimRoleChanges,
    unmap: async (name: string, body: ScimMapping) =>
      (await call('POST', path(name, '/mappings/remove'), { body })) as ScimRoleChanges,
    adopt: async (name: string, body: { person: string; userName?: string }) =>
      (await call('POST', path(name, '/people'), { body })) as { personId: string; userName: string },
  }
}
