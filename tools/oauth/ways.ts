/** The three ways in which a program of a person becomes known to the authorization server. */
import { must } from './cells.ts'
import type { Stage } from './stage.ts'

/** What a program is given before it begins. */
export interface Known {
  readonly id?: string
  readonly documentUrl?: string
}

export interface Way {
  readonly name: string
  /** What Castellan says of such a client. */
  readonly registeredBy: 'registration' | 'administrator' | 'metadata-document'
  prepare(stage: Stage, redirectUri: string): Promise<Known>
}

export const ways = {
  itself: { name: 'registers itself', registeredBy: 'registration', prepare: async () => ({}) },
  administrator: {
    name: 'registered before by an administrator',
    registeredBy: 'administrator',
    async prepare({ castellan }, redirectUri) {
      const grantTypes = ['authorization_code', 'refresh_token']
      const fields = { name: 'A known program', redirectUris: [redirectUri], grantTypes }
      const { status, body } = await castellan.ana.api('POST', '/clients', fields)
      must(status === 201, `no client: ${status} ${JSON.stringify(body)}`)
      return { id: (body['client'] as { id: string }).id }
    },
  },
  document: {
    name: 'known by its metadata document (CIMD)',
    registeredBy: 'metadata-document',
    prepare: async ({ documents }, redirectUri) => ({ documentUrl: documents.publish('A program', redirectUri) }),
  },
} as const satisfies Record<string, Way>

/** Fails unless Castellan shows the client that a program went by, and how it became known. */
export async function mustBeKnown({ castellan }: Stage, way: Way, address: string, known: Known): Promise<void> {
  const id = new URL(address).searchParams.get('client_id') ?? ''
  const given = known.id ?? known.documentUrl
  must(given === undefined || given === id, `it goes by ${id}`)
  const { body } = await castellan.ana.api('GET', '/clients')
  const client = (body['items'] as { id: string; registeredBy: string }[]).find((one) => one.id === id)
  must(client?.registeredBy === way.registeredBy, `it is known as ${JSON.stringify(client)}`)
}
