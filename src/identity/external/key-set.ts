/**
 * Which of an issuer's keys made this signature? Each key serves the algorithms of its own kind, and no other.
 * Stops: a public key used as a shared secret, one algorithm's key with another, keys for encryption, weak and private keys.
 * Trusts: the issuer's document for which keys are its own. Fails: without exactly one key that fits there is none.
 * @see RFC 7517, section 4; RFC 8725, sections 3.1 and 3.5
 */
import { createPublicKey, hash, type JsonWebKey, type KeyObject } from 'node:crypto'
import { readStrictObject } from '#protocol'

export interface IssuerKey {
  readonly key: KeyObject
  readonly keyId: string | undefined
  /** Of its public parts alone: equal for equal keys, whatever they are called. */
  readonly thumbprint: string
  readonly algorithms: readonly string[]
}

const mostKeys = 100
const leastRsaBits = 2_048

const rsaAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const curveAlgorithms: Readonly<Record<string, readonly string[]>> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
}

function algorithmsOf(key: KeyObject): readonly string[] {
  const details = key.asymmetricKeyDetails
  if (key.asymmetricKeyType === 'rsa') return (details?.modulusLength ?? 0) >= leastRsaBits ? rsaAlgorithms : []
  if (key.asymmetricKeyType === 'ec') return curveAlgorithms[details?.namedCurve ?? ''] ?? []
  return key.asymmetricKeyType === 'ed25519' ? ['EdDSA'] : []
}

function isForSignatures({ use, key_ops: operations }: Record<string, unknown>): boolean {
  if (use !== undefined && use !== 'sig') return false
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A key of the document, or nothing for one that signatures cannot be checked with. */
function readKey(jwk: unknown): IssuerKey | undefined {
  if (typeof jwk !== 'object' || jwk === null) return undefined
  const given = jwk as Record<string, unknown>
  // WHY: who publishes a private key has lost it.
  if (given['kty'] === 'oct' || Object.hasOwn(given, 'd') || !isForSignatures(given)) return undefined
  const { kty, n, e, crv, x, y } = given
  try {
    const key = createPublicKey({ key: { kty, n, e, crv, x, y } as JsonWebKey, format: 'jwk' })
    const possible = algorithmsOf(key)
    const algorithms = given['alg'] === undefined ? possible : possible.filter((one) => one === given['alg'])
    const thumbprint = hash('sha256', key.export({ type: 'spki', format: 'der' }))
    return algorithms.length === 0 ? undefined : { key, keyId: textOf(given['kid']), thumbprint, algorithms }
  } catch {
    return undefined
  }
}

/** The keys of a key set document. @throws Error when it is none */
export function readKeySet(text: string): readonly IssuerKey[] {
  const keys = readStrictObject(text)?.['keys']
  if (!Array.isArray(keys)) throw new Error('not a set of keys')
  if (keys.length > mostKeys) throw new Error(`more than ${mostKeys} keys`)
  return keys.flatMap((jwk) => readKey(jwk) ?? [])
}

/** The one key that a header can mean. A token without a key id means the only key of its kind. */
export function findKey(
  keys: readonly IssuerKey[],
  { algorithm, keyId }: { algorithm: string; keyId: string | undefined },
): IssuerKey | undefined {
  const fitting = keys.filter(
    (one) => one.algorithms.includes(algorithm) && (keyId === undefined || one.keyId === keyId),
  )
  const [first] = fitting
  return fitting.every((one) => one.thumbprint === first?.thumbprint) ? first : undefined
}
