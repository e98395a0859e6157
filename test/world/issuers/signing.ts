import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** The algorithms that these issuers sign with. */
export type Algorithm = 'ES256' | 'ES384' | 'ES512' | 'RS256' | 'RS512' | 'PS256' | 'EdDSA'

/** A key of an issuer, or of somebody who would like to be one. */
export interface SigningKey {
  readonly keyId: string
  readonly algorithm: Algorithm
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const curves: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }
const digests: Readonly<Record<Algorithm, string | null>> = {
  ES256: 'sha256',
  ES384: 'sha384',
  ES512: 'sha512',
  RS256: 'sha256',
  RS512: 'sha512',
  PS256: 'sha256',
  EdDSA: null,
}

function generate(algorithm: Algorithm, bits: number) {
  const curve = curves[algorithm]
  if (curve !== undefined) return generateKeyPairSync('ec', { namedCurve: curve })
  return algorithm === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: bits })
}

/** @param bits of an RSA key */
export function createKey(algorithm: Algorithm, keyId: string, bits = 2_048): SigningKey {
  return { keyId, algorithm, ...generate(algorithm, bits) }
}

/** The public part, as it stands in a key set. */
export function publicJwk(key: SigningKey, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...key.publicKey.export({ format: 'jwk' }), kid: key.keyId, use: 'sig', alg: key.algorithm, ...more }
}

export function base64url(text: string | Uint8Array): string {
  return Buffer.from(text as string).toString('base64url')
}

/** The signature of a text as JWS has it. */
export function signText(key: Pick<SigningKey, 'algorithm' | 'privateKey'>, text: string): Buffer {
  const { algorithm, privateKey } = key
  const isPss = algorithm.startsWith('PS')
  const padding = isPss
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {}
  return sign(digests[algorithm], Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363', ...padding })
}

/** A compact JWS over exactly these texts, which need not be JSON. */
export function signParts(key: Pick<SigningKey, 'algorithm' | 'privateKey'>, header: string, payload: string): string {
  const signed = `${base64url(header)}.${base64url(payload)}`
  return `${signed}.${base64url(signText(key, signed))}`
}
