/**
 * Does this code come from the person's authenticator, at this time? SHA-1, 6 digits, 30 seconds, one step either way.
 * Stops guessing by comparing in constant time; that a code counts once is kept by `spendCode`.
 * Trusts the server's clock, never the client's. Fails by matching no step.
 * @see RFC 6238 (TOTP), RFC 4226, section 5.3 (truncation)
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { inGroups, toBase32 } from '../base32.ts'

const stepMs = 30_000
const digits = 6
const secretBytes = 20

/** 160 bits, as long as the hash (RFC 4226, section 4, R6). */
export function createTotpSecret(): Uint8Array {
  return randomBytes(secretBytes)
}

/** The time step of a moment (RFC 6238, section 4.2). */
export function stepAt(nowMs: number): number {
  return Math.floor(nowMs / stepMs)
}

/** The code of a step: `length` decimal digits. */
export function totpCode(secret: Uint8Array, step: number, length: number = digits): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const offset = mac.readUInt8(mac.length - 1) & 15
  const number = mac.readUInt32BE(offset) & 0x7f_ff_ff_ff
  return String(number % 10 ** length).padStart(length, '0')
}

/** Six digits, with every space removed; undefined when it is anything else. */
export function readTotpCode(typed: string): string | undefined {
  const code = typed.slice(0, 64).replace(/\s/gu, '')
  return /^[0-9]{6}$/.test(code) ? code : undefined
}

/**
 * The steps whose code this is: the present one, the one before, the one after; ascending. Nearly always none or one.
 * @param code as `readTotpCode` gives it
 */
export function matchingSteps(secret: Uint8Array, code: string, nowMs: number): readonly number[] {
  const present = stepAt(nowMs)
  // INVARIANT: all three are computed and compared, whichever matches.
  return [present - 1, present, present + 1].filter((step) =>
    timingSafeEqual(Buffer.from(totpCode(secret, Math.max(0, step))), Buffer.from(code)),
  )
}

/** What an authenticator scans and, for typing, the secret in groups of four. Both are the secret itself. */
export function describeTotp(name: string, secret: Uint8Array): { otpauthUri: string; secret: string } {
  const encoded = toBase32(secret).toUpperCase()
  const query = new URLSearchParams({
    secret: encoded,
    issuer: 'Castellan',
    algorithm: 'SHA1',
    digits: '6',
    period: '30',
  })
  const label = `Castellan:${encodeURIComponent(name)}`
  return { otpauthUri: `otpauth://totp/${label}?${query.toString()}`, secret: inGroups(encoded, ' ') }
}
