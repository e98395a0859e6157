/**
 * How are passwords and recovery codes kept? As Argon2id in PHC strings.
 * Stops guessing from a stolen database, the more so with a pepper that lies elsewhere.
 * Trusts node:crypto. Fails closed: a string it cannot read costs the same and matches nothing.
 * @see RFC 9106; OWASP Password Storage: 19 MiB, 2 passes, 1 lane
 */
import { argon2, createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const memoryKib = 19_456
const passes = 2
const lanes = 1
const saltBytes = 16
const tagBytes = 32

export interface Argon2id {
  /** The PHC string of a text: its UTF-8 bytes as they are, no normalisation. About 25 ms and 19 MiB. */
  hash(text: string, salt?: Uint8Array): Promise<string>
  /** Whether a text made this string. Takes as long without one, so that a stranger learns nothing by timing. */
  verify(phc: string | undefined, text: string): Promise<boolean>
}

interface Readable {
  readonly prefix: string
  readonly salt: Buffer
  readonly tag: Buffer
}

function read(phc: string): Readable | undefined {
  const match = /^(\$argon2id\$v=19\$[a-z0-9=,A-Z+/]+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(phc)
  if (!match) return undefined
  const [, prefix = '', salt = '', tag = ''] = match
  return { prefix, salt: Buffer.from(salt, 'base64'), tag: Buffer.from(tag, 'base64') }
}

/** The salt of a PHC string, for texts that are looked up by their hash. */
export function saltOf(phc: string): Uint8Array | undefined {
  return read(phc)?.salt
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '')
}

/**
 * @param pepper a server key that is not in the database. Strings made with it are marked by `keyid` and match only
 * with the same pepper; strings made without one match only without one
 */
export function createArgon2id(pepper?: Uint8Array): Argon2id {
  const keyId =
    pepper && unpadded(createHash('sha256').update('castellan pepper').update(pepper).digest().subarray(0, 6))
  const prefix = `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}${keyId ? `,keyid=${keyId}` : ''}`
  const nobody = `${prefix}$${unpadded(randomBytes(saltBytes))}$${unpadded(randomBytes(tagBytes))}`

  function derive(text: string, salt: Uint8Array): Promise<Buffer> {
    const message = Buffer.from(text, 'utf8')
    const parameters = { message, nonce: salt, memory: memoryKib, passes, parallelism: lanes, tagLength: tagBytes }
    return new Promise((resolve, reject) => {
      argon2('argon2id', pepper ? { ...parameters, secret: pepper } : parameters, (error, tag) => {
        if (error) reject(error)
        else resolve(tag)
      })
    })
  }

  return {
    async hash(text, salt = randomBytes(saltBytes)) {
      return `${prefix}$${unpadded(salt)}$${unpadded(await derive(text, salt))}`
    },
    async verify(phc, text) {
      const stored = read(phc ?? nobody)
      const isOurs = stored?.prefix === prefix && stored.tag.length === tagBytes && stored.salt.length === saltBytes
      const { salt, tag } = (isOurs ? stored : read(nobody)) ?? {
        salt: randomBytes(saltBytes),
        tag: Buffer.alloc(tagBytes),
      }
      const isEqual = timingSafeEqual(await derive(text, salt), tag)
      return isEqual && isOurs && phc !== undefined
    },
  }
}
