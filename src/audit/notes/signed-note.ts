/**
 * What does a signed note say, and whose signatures are on it?
 * Stops: a signature by another key, or over another text, counted as one by a known key.
 * Trusts: Ed25519, and the keys it is given.
 * Fails: with undefined on what is no note, no key or no checkpoint.
 * @see https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint and https://c2sp.org/tlog-cosignature
 */
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'

/** What the first byte of a key says. SPEC: C2SP signed-note, signature types. */
export const keyKinds = { ed25519: 1, cosignature: 4 } as const

export interface NoteSignature {
  readonly name: string
  /** Four bytes that stand for the key. */
  readonly keyId: Buffer
  readonly bytes: Buffer
  /** As it stands in the note, with its newline. */
  readonly line: string
}

export interface SignedNote {
  /** With its last newline: what is signed. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** A public key with a name, as a line. */
export interface NoteKey {
  readonly name: string
  readonly kind: number
  readonly keyId: Buffer
  readonly key: KeyObject
}

const mostSignatures = 100
const keyBytes = 32
const nameForm = '[\\x21-\\x2a\\x2c-\\x7e]{1,100}'
const signatureForm = new RegExp(`^\u2014 (${nameForm}) ([A-Za-z0-9+/]+={0,2})$`)
const keyForm = new RegExp(`^(${nameForm})\\+([0-9a-f]{8})\\+([A-Za-z0-9+/]{44})\\n?$`)

/** SPEC: C2SP signed-note: the first four bytes of SHA-256(name || 0x0A || kind || public key). */
export function keyIdOf(name: string, kind: number, raw: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(kind), raw]), 'buffer').subarray(0, 4)
}

/** @param line `<name>+<key id>+<kind and key>` */
export function readNoteKey(line: string): NoteKey | undefined {
  const [, name = '', id = '', encoded = ''] = keyForm.exec(line) ?? []
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.length !== 1 + keyBytes) return undefined
  const [kind = 0] = bytes
  const raw = bytes.subarray(1)
  const keyId = keyIdOf(name, kind, raw)
  if (keyId.toString('hex') !== id) return undefined
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' })
  return { name, kind, keyId, key }
}

function readSignature(line: string): NoteSignature | undefined {
  const [, name = '', encoded = ''] = signatureForm.exec(line) ?? []
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.length <= 4 || bytes.toString('base64') !== encoded) return undefined
  return { name, keyId: bytes.subarray(0, 4), bytes: bytes.subarray(4), line: `${line}\n` }
}

/** Signature lines, one after the other. */
export function readSignatures(lines: string): readonly NoteSignature[] | undefined {
  if (!lines.endsWith('\n')) return undefined
  const read = lines.slice(0, -1).split('\n').map(readSignature)
  const signatures = read.filter((one) => one !== undefined)
  return signatures.length === read.length && read.length <= mostSignatures ? signatures : undefined
}

export function readNote(note: string): SignedNote | undefined {
  const end = note.lastIndexOf('\n\n')
  const signatures = end === -1 ? undefined : readSignatures(note.slice(end + 2))
  return signatures === undefined ? undefined : { text: note.slice(0, end + 1), signatures }
}

/** The message that a signature of this kind is over; undefined where it cannot be one. */
function signedMessage(kind: number, text: string, bytes: Buffer): { message: string; signature: Buffer } | undefined {
  if (kind === keyKinds.ed25519) return { message: text, signature: bytes }
  if (kind !== keyKinds.cosignature || bytes.length !== 8 + 64) return undefined
  // SPEC: C2SP tlog-cosignature: eight bytes of POSIX time, then the signature over a header that has it, and the text.
  const time = bytes.readBigUInt64BE(0)
  return { message: `cosignature/v1\ntime ${time}\n${text}`, signature: bytes.subarray(8) }
}

/** The first signature of the note that this key made. */
export function signatureBy({ text, signatures }: SignedNote, key: NoteKey): NoteSignature | undefined {
  return signatures.find(({ name, keyId, bytes }) => {
    if (name !== key.name || !keyId.equals(key.keyId)) return false
    const signed = signedMessage(key.kind, text, bytes)
    return signed !== undefined && verify(null, Buffer.from(signed.message), key.key, signed.signature)
  })
}

/** A tree of so many leaves, as a note says it. */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Buffer
}

/** SPEC: C2SP tlog-checkpoint: origin, size, root, and lines of whoever else has to say something. */
export function readCheckpointText(text: string): Checkpoint | undefined {
  const [origin = '', size = '', root = '', ...more] = text.split('\n')
  const bytes = Buffer.from(root, 'base64')
  const isWhole = origin !== '' && more.at(-1) === '' && more.slice(0, -1).every((line) => line !== '')
  const isTree = /^(0|[1-9]\d{0,15})$/.test(size) && bytes.length === keyBytes && bytes.toString('base64') === root
  return isWhole && isTree && Number.isSafeInteger(Number(size))
    ? { origin, size: Number(size), root: bytes }
    : undefined
}
