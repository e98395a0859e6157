import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isoCBOR } from '@simplewebauthn/server/helpers'

/** What a page tells of itself, and what an authenticator may be made to lie about. */
export interface Circumstances {
  readonly origin?: string
  readonly domain?: string
  readonly challenge?: string
  readonly isVerified?: boolean
  readonly isInFrame?: boolean
  readonly counter?: number
  readonly userHandle?: string
}

export interface RegistrationOptions {
  readonly challenge: string
  readonly rp: { readonly id: string }
  readonly user: { readonly id: string; readonly name: string }
}

export interface AssertionOptions {
  readonly challenge: string
  readonly rpId: string
}

/** An authenticator in software, with the page around it: does what it is told, also what no real one would. */
export interface Authenticator {
  readonly credentialId: string
  /** Random, as the server gave it. */
  userHandle(): string
  register(options: unknown, lies?: Circumstances): ReturnType<typeof registration>
  assert(options: unknown, lies?: Circumstances): ReturnType<typeof assertion>
  /** Another one with the same key and the counter of this moment. */
  clone(): Authenticator
}

export type Algorithm = 'ES256' | 'EdDSA' | 'RS256' | 'ES384'

function makeKey(algorithm: Algorithm): KeyObject {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519').privateKey
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  return generateKeyPairSync('ec', { namedCurve: algorithm === 'ES384' ? 'P-384' : 'P-256' }).privateKey
}

function coseKey(key: KeyObject, algorithm: Algorithm): Uint8Array {
  const { x = '', y = '', n = '', e = '' } = key.export({ format: 'jwk' })
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'))
  const shapes = {
    ES256: [
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, bytes(x)],
      [-3, bytes(y)],
    ],
    ES384: [
      [1, 2],
      [3, -35],
      [-1, 2],
      [-2, bytes(x)],
      [-3, bytes(y)],
    ],
    EdDSA: [
      [1, 1],
      [3, -8],
      [-1, 6],
      [-2, bytes(x)],
    ],
    RS256: [
      [1, 3],
      [3, -257],
      [-1, bytes(n)],
      [-2, bytes(e)],
    ],
  }
  return isoCBOR.encode(new Map(shapes[algorithm] as [number, number | Uint8Array][]))
}

function clientData(type: string, challenge: string, lies: Circumstances): Buffer {
  const { origin = 'http://localhost:8090', isInFrame = false } = lies
  return Buffer.from(JSON.stringify({ type, challenge: lies.challenge ?? challenge, origin, crossOrigin: isInFrame }))
}

interface Held {
  readonly credentialId: Buffer
  readonly key: KeyObject
  readonly algorithm: Algorithm
  readonly counts: boolean
  counter: number
}

function authenticatorData(
  domain: string,
  { isVerified = true }: Circumstances,
  counter: number,
  key?: Buffer,
): Buffer {
  const head = Buffer.alloc(37)
  createHash('sha256').update(domain).digest().copy(head)
  head.writeUInt8(0x01 | (isVerified ? 0x04 : 0) | (key ? 0x40 : 0), 32)
  head.writeUInt32BE(counter, 33)
  return key ? Buffer.concat([head, key]) : head
}

function registration(held: Held, options: RegistrationOptions, lies: Circumstances) {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(held.credentialId.length)
  const key = Buffer.concat([Buffer.alloc(16), length, held.credentialId, coseKey(held.key, held.algorithm)])
  const authData = authenticatorData(lies.domain ?? options.rp.id, lies, lies.counter ?? held.counter, key)
  const object = new Map<string, Parameters<typeof isoCBOR.encode>[0]>([
    ['fmt', 'none'],
    ['attStmt', new Map()],
    ['authData', new Uint8Array(authData)],
  ])
  const id = held.credentialId.toString('base64url')
  return {
    id,
    rawId: id,
    type: 'public-key' as const,
    response: {
      clientDataJSON: clientData('webauthn.create', options.challenge, lies).toString('base64url'),
      attestationObject: Buffer.from(isoCBOR.encode(object)).toString('base64url'),
      transports: ['internal'],
    },
    clientExtensionResults: {},
  }
}

function assertion(held: Held, options: AssertionOptions, lies: Circumstances & { readonly userHandle: string }) {
  if (held.counts) held.counter += 1
  const authData = authenticatorData(lies.domain ?? options.rpId, lies, lies.counter ?? held.counter)
  const data = clientData('webauthn.get', options.challenge, lies)
  const signed = Buffer.concat([authData, createHash('sha256').update(data).digest()])
  const signature = sign(held.algorithm === 'EdDSA' ? null : 'sha256', signed, held.key)
  const id = held.credentialId.toString('base64url')
  return {
    id,
    rawId: id,
    type: 'public-key' as const,
    response: {
      clientDataJSON: data.toString('base64url'),
      authenticatorData: authData.toString('base64url'),
      signature: signature.toString('base64url'),
      userHandle: lies.userHandle,
    },
    clientExtensionResults: {},
  }
}

function over(held: Held, handle: string): Authenticator {
  let userHandle = handle
  return {
    credentialId: held.credentialId.toString('base64url'),
    userHandle: () => userHandle,
    register(options, lies = {}) {
      const asked = options as RegistrationOptions
      userHandle = asked.user.id
      return registration(held, asked, lies)
    },
    assert: (options, lies = {}) =>
      assertion(held, options as AssertionOptions, { ...lies, userHandle: lies.userHandle ?? userHandle }),
    clone: () =>
      over({ ...held, key: createPrivateKey(held.key.export({ format: 'pem', type: 'pkcs8' })) }, userHandle),
  }
}

/** @param counts whether it counts its signatures, as security keys do and synchronised passkeys do not */
export function createAuthenticator(algorithm: Algorithm = 'ES256', counts = true): Authenticator {
  const key = makeKey(algorithm)
  return over({ credentialId: randomBytes(32), key, algorithm, counts, counter: counts ? 1 : 0 }, '')
}
