/** Tokens whose signature was made up, taken from elsewhere, or written in another way. */
import { sign } from 'node:crypto'
import { base64url, signText } from '../../test/world/issuers/signing.ts'
import { bytesOf, curveOrder, numberOf } from './good.ts'
import { goodParts, type Kind, type Scene } from './scene.ts'

type KeyName = 'es' | 'rs' | 'ps' | 'ed'

function replaced(
  name: string,
  key: KeyName,
  change: (signature: Buffer, text: string, scene: Scene) => Buffer | string,
) {
  return {
    name,
    make(scene: Scene) {
      const { header, claims } = goodParts(scene, scene.keys[key])
      const text = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`
      const signature = change(signText(scene.keys[key], text), text, scene)
      return `${text}.${typeof signature === 'string' ? signature : base64url(signature)}`
    },
  }
}

const zero = bytesOf(0n)
const order = bytesOf(curveOrder)
const half = (signature: Buffer, at: 0 | 1): Buffer => signature.subarray(at * 32, at * 32 + 32)

/** Without looking, some verifiers took these for anybody's signature of anything. */
const numbers: [string, (signature: Buffer) => Buffer][] = [
  ['r = s = 0', () => Buffer.concat([zero, zero])],
  ['r = 0', (signature) => Buffer.concat([zero, half(signature, 1)])],
  ['s = 0', (signature) => Buffer.concat([half(signature, 0), zero])],
  ['r = s = n', () => Buffer.concat([order, order])],
  ['r = n', (signature) => Buffer.concat([order, half(signature, 1)])],
  ['s = n', (signature) => Buffer.concat([half(signature, 0), order])],
  ['r = 1, s = 0', () => Buffer.concat([bytesOf(1n), zero])],
  ['r = s = 1', () => Buffer.concat([bytesOf(1n), bytesOf(1n)])],
  ['all bits', () => Buffer.alloc(64, 0xff)],
  ['r and s changed places', (signature) => Buffer.concat([half(signature, 1), half(signature, 0)])],
  ['n − r', (signature) => Buffer.concat([bytesOf(curveOrder - numberOf(half(signature, 0))), half(signature, 1)])],
  [
    's + n in 33 bytes',
    (signature) => Buffer.concat([half(signature, 0), bytesOf(numberOf(half(signature, 1)) + curveOrder, 33)]),
  ],
]

const lengths: [string, (signature: Buffer) => Buffer][] = [
  ['nothing', () => Buffer.alloc(0)],
  ['a byte less', (signature) => signature.subarray(0, -1)],
  ['half of it', (signature) => signature.subarray(0, signature.length / 2)],
  ['a byte more', (signature) => Buffer.concat([signature, Buffer.from([0])])],
  ['a zero before it', (signature) => Buffer.concat([Buffer.from([0]), signature])],
  ['itself twice', (signature) => Buffer.concat([signature, signature])],
  ['zeros', (signature) => Buffer.alloc(signature.length)],
  ['ones', (signature) => Buffer.alloc(signature.length, 1)],
  [
    'its first bit turned',
    (signature) => Buffer.concat([Buffer.from([(signature[0] ?? 0) ^ 0x80]), signature.subarray(1)]),
  ],
  [
    'its last bit turned',
    (signature) => Buffer.concat([signature.subarray(0, -1), Buffer.from([(signature.at(-1) ?? 0) ^ 1])]),
  ],
  ['its bytes backwards', (signature) => Buffer.from(signature).reverse()],
]

function asDer({ keys }: Scene, text: string): Buffer {
  return sign('sha256', Buffer.from(text), keys.es.privateKey)
}

/** Of Ed25519: S and S + L are the same to whoever does not look. */
const edOrder = 2n ** 252n + 27742317777372353535851937790883648493n
function addOrder(signature: Buffer): Buffer {
  const s = numberOf(Buffer.from(signature.subarray(32)).reverse()) + edOrder
  return Buffer.concat([signature.subarray(0, 32), bytesOf(s).reverse()])
}

const spelled: Kind[] = [
  replaced('with a signature as X.509 has it', 'es', (_signature, text, scene) => asDer(scene, text)),
  replaced('with the order added to its signature', 'ed', addOrder),
  replaced('with a signature of SHA-1', 'rs', (_signature, text, { keys }) =>
    sign('sha1', Buffer.from(text), keys.rs.privateKey),
  ),
  replaced('with a signature of SHA-512', 'es', (_signature, text, { keys }) =>
    sign('sha512', Buffer.from(text), { key: keys.es.privateKey, dsaEncoding: 'ieee-p1363' }),
  ),
  replaced('with a signature of another text', 'es', (_signature, text, { keys }) => signText(keys.es, `${text}x`)),
  replaced('with a signature of its claims alone', 'es', (_signature, text, { keys }) =>
    signText(keys.es, text.split('.')[1] ?? ''),
  ),
  replaced('with the signature of another key of the issuer', 'es', (_signature, text, { keys }) =>
    signText(keys.ed, text),
  ),
  replaced('with a signature by somebody else', 'rs', (_signature, text, { forged }) => signText(forged.rs, text)),
  replaced('with a signature in hex', 'es', (signature) => signature.toString('hex')),
  replaced(
    'with a signature in the other base64',
    'es',
    (signature) => `${signature.toString('base64').replace(/=*$/, '')}+/`,
  ),
  replaced('with a filled signature', 'es', (signature) => `${base64url(signature)}==`),
  replaced('with a bit in its signature that no byte needs', 'es', withSpareBit),
]

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
function withSpareBit(signature: Buffer): string {
  const text = base64url(signature)
  return text.slice(0, -1) + letters.charAt(letters.indexOf(text.slice(-1)) ^ 1)
}

export const badSignatures: readonly Kind[] = [
  ...numbers.map(([what, change]) => replaced(`with the signature ${what}`, 'es', change)),
  ...(['es', 'rs', 'ps', 'ed'] as const).flatMap((key) =>
    lengths.map(([what, change]) => replaced(`whose signature (${key}) is ${what}`, key, change)),
  ),
  ...spelled,
]
