/**
 * Was this proof or assertion seen before? Each `jti` counts once, on all nodes.
 * Stops: replay of DPoP proofs, client assertions and identity assertions, also of two at the same moment.
 * Trusts: the database's primary key. Fails: closed: what cannot be written down has not been accepted.
 */
import { isDuplicate } from '#platform/database'
import { hashToken } from '../credentials/opaque-token.ts'
import type { OauthParts } from './parts.ts'

export interface Replays {
  /** @returns false when it was used before. @param expiresAt until when it could be presented again, in wall-clock ms */
  useOnce(purpose: string, id: string, expiresAt: number): Promise<boolean>
}

export function createReplays({ database }: Pick<OauthParts, 'database'>): Replays {
  return {
    async useOnce(purpose, id, expiresAt) {
      const row = { id_hash: hashToken(JSON.stringify([purpose, id])), expires_at: expiresAt }
      try {
        await database.query.insertInto('oauth_replays').values(row).execute()
        return true
      } catch (error) {
        if (isDuplicate(error)) return false
        throw error
      }
    },
  }
}
