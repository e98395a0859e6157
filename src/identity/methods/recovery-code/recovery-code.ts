/**
 * What gets a person in whose authenticator is lost? Ten codes of 80 bits, shown once, each good once.
 * Stops guessing from a stolen database: kept as Argon2id, all ten with the person's own salt, so that a typed one is
 * found with one computation. Trusts node:crypto. Fails by finding no code.
 * @see NIST SP 800-63B-4, section 4.2.1 (at least 64 bits); ASVS 6.5.2
 */
import { randomBytes } from 'node:crypto'
import type { Argon2id } from '../argon2id.ts'
import { inGroups, toBase32 } from '../base32.ts'

const codesPerPerson = 10
const codeBytes = 10
const saltBytes = 16

/** Sixteen small letters and digits; case, spaces and hyphens do not matter. Undefined when it is anything else. */
export function readRecoveryCode(typed: string): string | undefined {
  const code = typed
    .slice(0, 64)
    .replace(/[\s\p{Pd}]/gu, '')
    .toLowerCase()
  return /^[a-z2-7]{16}$/.test(code) ? code : undefined
}

export interface RecoveryCodes {
  /** `xxxx-xxxx-xxxx-xxxx`, for the person's eyes, once. */
  readonly codes: readonly string[]
  /** PHC strings with one salt. */
  readonly hashes: readonly string[]
}

/** A new set. Ten computations of Argon2id, one after the other: call it inside the gate. */
export async function createRecoveryCodes(argon2id: Pick<Argon2id, 'hash'>): Promise<RecoveryCodes> {
  const plain = Array.from({ length: codesPerPerson }, () => toBase32(randomBytes(codeBytes)))
  const salt = randomBytes(saltBytes)
  const hashes: string[] = []
  for (const code of plain) hashes.push(await argon2id.hash(code, salt))
  return { codes: plain.map((code) => inGroups(code, '-')), hashes }
}
