import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { exportJWK, SignJWT } from 'jose'

/** A client's key, and proofs that it holds it (RFC 9449). */
export interface ProofKey {
  /** @param nowMs wall-clock milliseconds. @param more claims beside or instead of those that a good proof has */
  proof(method: string, url: string, nowMs: number, more?: Record<string, unknown>): Promise<string>
}

export async function makeProofKey(): Promise<ProofKey> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = await exportJWK(publicKey)
  return {
    proof: (method, url, nowMs, more = {}) =>
      new SignJWT({ htm: method, htu: url, jti: randomUUID(), iat: Math.floor(nowMs / 1_000), ...more })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .sign(privateKey),
  }
}
