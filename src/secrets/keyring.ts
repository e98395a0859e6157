/**
 * How small secrets are kept at rest: AES-256-GCM under a data key per purpose, derived from one root key.
 * Stops: a reader of the database or a backup; a writer who moves a sealed value to another row or alters it.
 * Trusts: the root key, which lies in the data folder with mode 0600 and never in the database.
 * Fails: a wrong, moved or altered value opens as undefined; a root key of the wrong size stops start-up.
 * @see NIST SP 800-38D (GCM), RFC 5869 (HKDF)
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { Misuse, type Sealer } from '#kernel'

const algorithm = 'a256gcm'
const rootKeyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const sealedPattern = /^a256gcm\.([\w-]{11})\.([\w-]+)$/

/**
 * A sealer for one root key. What it seals reads `a256gcm.<key id>.<nonce, ciphertext and tag>`, in base64url.
 * The purpose of a place is its first part, before the first `/`; each purpose has a key of its own.
 * @param options.rootKey 32 random bytes; copied
 * @throws Misuse `secrets.root-key` when it has another size
 */
export function createKeyring(options: { rootKey: Uint8Array }): Sealer {
  if (options.rootKey.byteLength !== rootKeyBytes) throw badRootKey(options.rootKey.byteLength)
  const root = createSecretKey(options.rootKey)
  const keyId = derive(root, 'key-id').subarray(0, 8).toString('base64url')
  const dataKeys = new Map<string, KeyObject>()

  function dataKeyFor(place: string): KeyObject {
    const [purpose = ''] = place.split('/', 1)
    if (purpose === '') throw new TypeError('a sealed value needs a place')
    let key = dataKeys.get(purpose)
    if (key === undefined) {
      key = createSecretKey(derive(root, `data-key ${purpose}`))
      dataKeys.set(purpose, key)
    }
    return key
  }

  return {
    seal(plain, place) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', dataKeyFor(place), nonce, { authTagLength: tagBytes })
      cipher.setAAD(boundTo(keyId, place))
      const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
      return `${algorithm}.${keyId}.${sealed.toString('base64url')}`
    },
    open(sealed, place) {
      const bytes = readSealed(sealed, keyId)
      return bytes === undefined ? undefined : decipher(bytes, dataKeyFor(place), boundTo(keyId, place))
    },
  }
}

function readSealed(sealed: string, keyId: string): Buffer | undefined {
  const [, sealedUnder, body = ''] = sealedPattern.exec(sealed) ?? []
  const bytes = Buffer.from(body, 'base64url')
  const isWhole = bytes.byteLength >= nonceBytes + tagBytes
  // WHY: base64url has spare bits at the end; one value has one spelling here.
  return sealedUnder === keyId && isWhole && bytes.toString('base64url') === body ? bytes : undefined
}

function decipher(bytes: Buffer, key: KeyObject, place: Buffer): Uint8Array | undefined {
  const tagAt = bytes.byteLength - tagBytes
  const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
  cipher.setAAD(place)
  cipher.setAuthTag(bytes.subarray(tagAt))
  const plain = cipher.update(bytes.subarray(nonceBytes, tagAt))
  try {
    return Buffer.concat([plain, cipher.final()])
  } catch {
    return undefined
  }
}

/** Additional data of the encryption: one spelling for each combination. */
function boundTo(keyId: string, place: string): Buffer {
  return Buffer.from(JSON.stringify([algorithm, keyId, place]))
}

function derive(root: KeyObject, purpose: string): Buffer {
  // WHY: the root key is uniformly random, so the extraction step needs no salt of its own (RFC 5869, 3.1).
  return Buffer.from(hkdfSync('sha256', root, Buffer.alloc(0), `castellan ${purpose}`, 32))
}

function badRootKey(sizeBytes: number): Misuse {
  return new Misuse(
    'secrets.root-key',
    `the root key has ${sizeBytes} bytes instead of ${rootKeyBytes}`,
    'restore `root-key` in the data folder from a backup; a new one cannot open what the old one sealed',
  )
}
