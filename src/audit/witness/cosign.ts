/**
 * What does a witness put under a checkpoint?
 * Stops: a signature of the witness that means anything but "I saw this log grow up to here, at this time".
 * Trusts: its private key file, and the clock for the time alone.
 * Fails: by throwing on a key that is none.
 * @see https://c2sp.org/tlog-cosignature
 */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { keyIdOf, keyKinds } from '../notes/signed-note.ts'

export interface Cosigner {
  /** The line that others verify with. */
  readonly verifierKey: string
  /** @returns the signature line, with its newline */
  cosign(text: string, nowMs: number): string
}

/** @param privateKey PKCS #8 PEM of an Ed25519 key */
export function createCosigner(privateKey: string, name: string): Cosigner {
  const key = createPrivateKey(privateKey)
  const raw = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url')
  const keyId = keyIdOf(name, keyKinds.cosignature, raw)
  const encoded = Buffer.concat([Buffer.of(keyKinds.cosignature), raw]).toString('base64')
  return {
    verifierKey: `${name}+${keyId.toString('hex')}+${encoded}\n`,
    cosign(text, nowMs) {
      const time = Buffer.alloc(8)
      const seconds = BigInt(Math.floor(nowMs / 1000))
      time.writeBigUInt64BE(seconds)
      const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`), key)
      return `\u2014 ${name} ${Buffer.concat([keyId, time, signature]).toString('base64')}\n`
    },
  }
}
