/** Attempts of a stranger, each with something that is here and with something that is not. */
import { generateKeyPairSync } from 'node:crypto'
import { isRefusal, type Refusal } from '#kernel'
import { createAuthenticator } from '../../test/world/keys/authenticator.ts'
import type { Room } from './room.ts'

export interface Pair {
  readonly name: string
  /** Whether it is of a name, which a stranger can guess; each attempt costs hashes of passwords. */
  readonly isOfName: boolean
  /** What has to be ready before the time is taken. @returns the attempt */
  ready(isKnown: boolean, round: number): () => Promise<object>
}

/** Six digits, and what has the form of a recovery code: the second costs one computation more, for every name. */
const codes = ['123456', 'aaaa-bbbb-cccc-dddd']
const address = '203.0.113.5'

function signIn({ identity }: Room, known: string, kind: string): Pair {
  return {
    name: `sign-in: ${kind}`,
    isOfName: true,
    ready(isKnown, round) {
      const code = codes[round % codes.length] ?? ''
      const name = isKnown ? known : 'bob'
      return () => identity.signIn({ name, password: 'not the password', code, address })
    },
  }
}

/** A COSE key of P-256 that fits no signature here. */
function someKey(): string {
  const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  const [head, between] = [Buffer.from('a5010203262001215820', 'hex'), Buffer.from('225820', 'hex')]
  return Buffer.concat([head, Buffer.from(x, 'base64url'), between, Buffer.from(y, 'base64url')]).toString('base64url')
}

/** No claim, but shown: 256 random bits are no name that anybody tries. A passkey that is here, with a wrong signature, and one that is not. */
async function passkey({ identity, database, clock }: Room): Promise<Pair> {
  const [own, thief] = [createAuthenticator(), createAuthenticator()]
  const row = await database.query.selectFrom('people').select('id').where('name', '=', 'ada').executeTakeFirstOrThrow()
  const at = clock.now()
  const flags = { algorithm: -7, counter: 0, transports: '[]', aaguid: '', is_syncable: 0, is_synced: 0 } as const
  const public_key = someKey()
  const named = { id: 'a passkey', person_id: row.id, credential_id: own.credentialId, name: 'laptop' }
  const kept = { ...named, ...flags, public_key, created_at: at, last_used_at: null }
  await database.query.insertInto('passkeys').values(kept).execute()
  await database.query.insertInto('passkey_handles').values({ person_id: row.id, handle: 'a handle' }).execute()
  return {
    name: 'passkey: known, with a wrong signature',
    isOfName: false,
    ready(isKnown) {
      const { state, options } = identity.passkeys.beginSignIn('a browser')
      const answer = (isKnown ? own : thief).assert(options, { userHandle: 'AAAA' })
      return () => identity.passkeys.signIn({ state, answer, binding: 'a browser', address })
    },
  }
}

export async function makePairs(room: Room): Promise<readonly Pair[]> {
  return [
    signIn(room, 'ada', 'enrolled, wrong password'),
    signIn(room, 'ivy', 'invited, without a password'),
    signIn(room, 'sol', 'suspended, wrong password'),
    await passkey(room),
  ]
}

/** What a refused attempt tells, with everything that the caller sees. */
export function saidBy(answer: object): string {
  if (!isRefusal(answer)) throw new Error('a wrong attempt was accepted')
  const { code, says, hint, retryAfterSeconds } = answer as Refusal
  return `${code} ${says} ${hint} ${retryAfterSeconds}`
}
