import type { AdminClient } from './admin-client.ts'
import { base, itemsOf, segment } from './api.ts'

/** A browser or script that somebody signed in from. */
export interface Session {
  readonly id: string
  readonly address: string
  readonly agent: string
  readonly createdAt: string
  readonly lastSeenAt: string
  readonly isCurrent: boolean
}

/** What somebody lets an OAuth client or a terminal do. */
export interface ClientGrant {
  readonly id: string
  readonly personId: string
  readonly clientId: string
  readonly clientName: string
  readonly resource: string
  readonly scopes: readonly string[]
  readonly createdAt: string
  readonly expiresAt: string
}

/** What stands open for a person. @param name of them; whoever is signed in unless given */
export function accessApi({ call }: AdminClient, name: string | undefined) {
  const whose = name === undefined ? (`${base}/me` as const) : (`${base}/people/${segment(name)}` as const)
  return {
    sessions: async () => itemsOf<Session>(await call('GET', `${whose}/sessions`)),
    endSession: (id: string) => call('DELETE', `${whose}/sessions/${segment(id)}`),
    grants: async () => itemsOf<ClientGrant>(await call('GET', `${whose}/grants`)),
    endGrant: async (id: string) => (await call('DELETE', `${whose}/grants/${segment(id)}`)) as ClientGrant,
  }
}
