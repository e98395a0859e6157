/**
 * With which keys does the authorization server sign, whatever node answers? One EC key and cookie keys, sealed in the database.
 * Stops: a key that is read from a backup; two nodes with different keys.
 * Trusts: the sealer and the database's transaction: the first node makes them, the others find them.
 * Fails: keys that do not open stop whatever needs them; none are made in their place.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { Fault } from '#kernel'
import type { JWK } from 'jose'
import type { OauthParts } from './parts.ts'

const rowName = 'authorization-server'
const place = 'oauth-keys/authorization-server'
const cookieKeyBytes = 32

export interface ServerKeys {
  /** Private, with `kid`. */
  readonly signing: JWK
  readonly cookies: readonly string[]
}

function makeKeys(): ServerKeys {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = privateKey.export({ format: 'jwk' })
  const kid = randomBytes(12).toString('base64url')
  return {
    signing: { ...jwk, kid, use: 'sig', alg: 'ES256' },
    cookies: [randomBytes(cookieKeyBytes).toString('base64url')],
  }
}

/** The keys of this installation; made when there are none. @throws Fault `identity.oauth-keys` when they do not open */
export async function readServerKeys({
  database,
  clock,
  sealer,
}: Pick<OauthParts, 'database' | 'clock' | 'sealer'>): Promise<ServerKeys> {
  const made = sealer.seal(Buffer.from(JSON.stringify(makeKeys())), place)
  const sealed = await database.transaction(async (transaction) => {
    const row = await transaction
      .selectFrom('oauth_keys')
      .select('sealed')
      .where('name', '=', rowName)
      .executeTakeFirst()
    if (row) return row.sealed
    await transaction
      .insertInto('oauth_keys')
      .values({ name: rowName, sealed: made, created_at: clock.now() })
      .execute()
    return made
  })
  const plain = sealer.open(sealed, place)
  if (plain === undefined)
    throw new Fault('identity.oauth-keys', 'the keys of the authorization server cannot be opened')
  return JSON.parse(Buffer.from(plain).toString()) as ServerKeys
}
