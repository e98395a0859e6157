/**
 * What does this text say, if it is a signed token? Read in the one way there is; nothing of it is believed.
 * Stops: two spellings of one token, two readings of one claim, encrypted and nested tokens, extensions we do not know.
 * Trusts: nothing. Fails: by being no token, with the reason for the ledger.
 * @see RFC 7515, sections 3, 4.1.11 and 7.1; RFC 8725, sections 2.4 and 3.12
 */
import { hash } from 'node:crypto'
import { readStrictObject } from '#protocol'

export interface ReadJwt {
  readonly algorithm: string
  readonly keyId: string | undefined
  /** Lower case, without `application/`. */
  readonly type: string
  readonly payload: Readonly<Record<string, unknown>>
  /** SHA-256 of what is signed, in hex: one for all signatures of the same token. */
  readonly signedHash: string
}

/** More than the headers of a request may hold. */
const longestTokenChars = 65_536
const compact = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/
const longestKeyIdChars = 1_024
/** Of encrypted and nested tokens, and what changes how the rest is read. `crit` asks for what we do not know. */
const unknownParts = ['crit', 'b64', 'enc', 'zip', 'cty', 'epk', 'apu', 'apv', 'p2c', 'p2s', 'tag', 'iv']

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  // INVARIANT: the bits that no byte needs are zero, so that there is one spelling of a part.
  return bytes.toString('base64url') === part ? bytes : undefined
}

function readPart(part: string): Record<string, unknown> | undefined {
  const bytes = decode(part)
  try {
    return bytes === undefined ? undefined : readStrictObject(utf8.decode(bytes))
  } catch {
    return undefined
  }
}

/** What is read of the header, or what is wrong with it. Keys and addresses of keys in it are not looked at. */
function readHeader(header: Record<string, unknown>): Pick<ReadJwt, 'algorithm' | 'keyId' | 'type'> | string {
  const { alg, kid, typ } = header
  if (unknownParts.some((name) => Object.hasOwn(header, name))) return 'unknown-extension'
  if (typeof alg !== 'string') return 'no-algorithm'
  if (typeof typ !== 'string') return 'no-type'
  const isKeyId = kid === undefined || (typeof kid === 'string' && kid !== '' && kid.length <= longestKeyIdChars)
  if (!isKeyId) return 'key-id-malformed'
  // SPEC: RFC 7515, section 4.1.9: a media type, in any case, whose `application/` may be left out.
  return { algorithm: alg, keyId: kid, type: typ.toLowerCase().replace(/^application\//, '') }
}

/** @returns the reason when it is no token that could be accepted from anybody */
export function readJwt(token: string): ReadJwt | string {
  if (token.length > longestTokenChars) return 'too-long'
  const [, headerPart, payloadPart, signaturePart] = compact.exec(token) ?? []
  if (headerPart === undefined || payloadPart === undefined || signaturePart === undefined) return 'not-compact'
  const [header, payload] = [readPart(headerPart), readPart(payloadPart)]
  if (header === undefined || payload === undefined || decode(signaturePart) === undefined) return 'unreadable'
  const read = readHeader(header)
  if (typeof read === 'string') return read
  return { ...read, payload, signedHash: hash('sha256', `${headerPart}.${payloadPart}`) }
}
