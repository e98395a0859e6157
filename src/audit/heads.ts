/**
 * Who vouches for the ledger's root: a signed tree head after each commit, as a C2SP checkpoint.
 * Stops: a ledger rewritten by someone who does not hold the key.
 * Trusts: Ed25519 and the private key file.
 * Fails: with undefined on any note that is not exactly what the key signed.
 * @see https://c2sp.org/tlog-checkpoint and https://c2sp.org/signed-note
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'

import { keyIdOf, keyKinds, readNoteKey } from './notes/signed-note.ts'

/** What a head states: the root over the first `size` entries. */
export interface Head {
  /** Names the ledger: no spaces, no `+`. */
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
  /** Heads of one ledger are numbered 1, 2, 3 …; 0 is the head of the empty ledger. */
  readonly number: number
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string
}

/** Signs heads; `verifierKey` is the public line others verify with. */
export interface HeadSigner {
  readonly verifierKey: string
  write(head: Head): string
}

export interface HeadVerifier {
  readonly origin: string
  /** @returns undefined when the note was not signed by this key or differs from it in any byte */
  read(note: string): Head | undefined
}

export function isOrigin(origin: string): boolean {
  return /^[\x21-\x2a\x2c-\x7e]{1,100}$/.test(origin)
}

/** A new private key, PKCS #8 PEM. */
export function makeLedgerKey(): Buffer {
  const { privateKey } = generateKeyPairSync('ed25519')
  return Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }))
}

function rawPublicKey(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')
}

function textOf(head: Head): string {
  const root = Buffer.from(head.root).toString('base64')
  return `${head.origin}\n${head.size}\n${root}\nhead ${head.number} ${head.time}\n`
}

function noteOf(text: string, origin: string, keyId: Uint8Array, signature: Uint8Array): string {
  return `${text}\n— ${origin} ${Buffer.concat([keyId, signature]).toString('base64')}\n`
}

/** @param privateKey PKCS #8 PEM of an Ed25519 key; throws when it is not one */
export function createHeadSigner(privateKey: string, origin: string): HeadSigner {
  const key = createPrivateKey(privateKey)
  const raw = rawPublicKey(createPublicKey(key))
  const keyId = keyIdOf(origin, keyKinds.ed25519, raw)
  return {
    verifierKey: `${origin}+${keyId.toString('hex')}+${Buffer.concat([Buffer.of(keyKinds.ed25519), raw]).toString('base64')}\n`,
    write(head) {
      const text = textOf(head)
      return noteOf(text, origin, keyId, sign(null, Buffer.from(text), key))
    },
  }
}

/** @returns undefined when `verifierKey` is not `<origin>+<key id>+<key>` of an Ed25519 key */
export function createHeadVerifier(verifierKey: string): HeadVerifier | undefined {
  const read = readNoteKey(verifierKey)
  if (read?.kind !== keyKinds.ed25519) return undefined
  const { name: origin, keyId, key } = read
  return { origin, read: (note) => readNote(note, origin, keyId, key) }
}

const noteForm =
  /^([\x21-\x2a\x2c-\x7e]{1,100})\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\nhead (0|[1-9]\d{0,15}) (\S{24})\n\n— \S+ (\S{92})\n$/

function readNote(note: string, origin: string, keyId: Uint8Array, key: KeyObject): Head | undefined {
  const parts = noteForm.exec(note)
  if (parts === null) return undefined
  const [, named = '', size = '', root = '', number = '', time = '', signed = ''] = parts
  const head = { origin: named, size: Number(size), root: Buffer.from(root, 'base64'), number: Number(number), time }
  const signature = Buffer.from(signed, 'base64').subarray(4)
  const text = textOf(head)
  // INVARIANT: what was read is exactly what would be written, so no byte of the note is outside the check.
  if (named !== origin || noteOf(text, origin, keyId, signature) !== note) return undefined
  return verify(null, Buffer.from(text), key, signature) ? head : undefined
}
