/**
 * Takes a key from a client that authenticates with one, and ends what the client was given, since nobody can say by whom.
 * Stops: whoever stole the key, from the next request on and on open streams; the client itself goes on with another key.
 * Trusts: the caller for permission to act. Fails: closed: no entry in the ledger, no change.
 * @see RFC 7523, section 3; docs/decisions/0040-what-ends-an-open-stream.md
 */
import { type Refusal, refuse } from '#kernel'
import type { AdapterPayload } from 'oidc-provider'
import { clientKeyWithdrawn } from '../oauth/events.ts'
import { endGrants } from '../oauth/grants.ts'
import type { OauthParts } from '../oauth/parts.ts'
import type { Actor } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { openMetadata, sealMetadata } from './metadata.ts'

/** What is left of a client that lost a key. */
export interface KeysLeft {
  readonly id: string
  readonly name: string
  /** With none it can get no token until it is registered anew. */
  readonly keysLeft: number
}

/** @param key the `kid` of the key in the client's key set */
export type WithdrawClientKey = (id: string, key: string, by: Actor) => Promise<KeysLeft | Refusal>

function keysOf({ jwks }: AdapterPayload): readonly { readonly kid?: unknown }[] {
  return jwks?.keys ?? []
}

/** Makes the function that withdraws keys of clients for admins. */
export function createWithdrawClientKey(
  parts: Pick<OauthParts, 'database' | 'ledger' | 'clock' | 'sealer'>,
): WithdrawClientKey {
  return (id, key, by) =>
    recordChange<KeysLeft>(parts, {
      async work(transaction) {
        const rows = transaction.selectFrom('oauth_clients').select(['name', 'sealed_metadata']).where('id', '=', id)
        const row = await rows.executeTakeFirst()
        if (row === undefined) return refuse(refusals.clientUnknown)
        const metadata = openMetadata(parts.sealer, id, row.sealed_metadata)
        const before = metadata === undefined ? [] : keysOf(metadata)
        const keys = before.filter(({ kid }) => kid !== key)
        if (metadata === undefined || keys.length === before.length) return refuse(refusals.clientKeyUnknown)
        const sealed_metadata = sealMetadata(parts.sealer, id, { ...metadata, jwks: { keys } } as AdapterPayload)
        await transaction.updateTable('oauth_clients').set({ sealed_metadata }).where('id', '=', id).execute()
        await endGrants(transaction, { whose: { clientId: id }, by, reason: 'key withdrawn', nowMs: parts.clock.now() })
        return { id, name: row.name, keysLeft: keys.length }
      },
      tell: ({ name, keysLeft }) => [
        clientKeyWithdrawn,
        {
          principal: { id: by.id, name: by.name },
          outcome: 'succeeded',
          details: { client: id, clientName: name, key, keysLeft },
        },
      ],
    })
}
