/**
 * How is a proof written down, to be kept and checked without Castellan?
 * Stops: a proof with a byte that is outside the check.
 * Trusts: nothing in a text it reads.
 * Fails: with undefined on a text that is not exactly what would be written.
 * @see https://c2sp.org/tlog-proof and https://c2sp.org/tlog-witness (the body of add-checkpoint)
 */
import { hashBytes } from '../merkle.ts'

export interface InclusionText {
  /** From 0: the entry numbered 1 has index 0. */
  readonly index: number
  /** The entry itself, which the proof is checked against. */
  readonly entry: Uint8Array
  readonly hashes: readonly Uint8Array[]
  /** The signed note, as it was signed. */
  readonly checkpoint: string
}

export interface ConsistencyText {
  /** Entries of the older tree. */
  readonly from: number
  readonly hashes: readonly Uint8Array[]
  /** Of the newer tree. */
  readonly checkpoint: string
}

const header = 'c2sp.org/tlog-proof@v1'
const mostHashes = 63

const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

function linesOf(lines: readonly string[], checkpoint: string): string {
  return `${lines.join('\n')}\n\n${checkpoint}`
}

export function writeInclusion({ index, entry, hashes, checkpoint }: InclusionText): string {
  return linesOf([header, `extra ${encode(entry)}`, `index ${index}`, ...hashes.map(encode)], checkpoint)
}

export function writeConsistency({ from, hashes, checkpoint }: ConsistencyText): string {
  return linesOf([`old ${from}`, ...hashes.map(encode)], checkpoint)
}

/** What stands before the first empty line, and the checkpoint after it. */
function split(text: string): { readonly lines: readonly string[]; readonly checkpoint: string } {
  const end = text.indexOf('\n\n')
  return { lines: text.slice(0, Math.max(0, end)).split('\n'), checkpoint: text.slice(end + 2) }
}

function readNumber(line: string | undefined, word: string): number {
  const [, digits] = new RegExp(`^${word} (0|[1-9]\\d{0,15})$`).exec(line ?? '') ?? []
  return digits === undefined ? Number.NaN : Number(digits)
}

/** @returns the proof when writing it again gives the same text */
function exact<Proof extends { readonly hashes: readonly Uint8Array[] }>(
  proof: Proof,
  text: string,
  write: (proof: Proof) => string,
): Proof | undefined {
  const areHashes = proof.hashes.length <= mostHashes && proof.hashes.every(({ length }) => length === hashBytes)
  return areHashes && write(proof) === text ? proof : undefined
}

const decode = (line: string): Buffer => Buffer.from(line, 'base64')

/** Reads a proof that carries its entry. */
export function readInclusion(text: string): InclusionText | undefined {
  const { lines, checkpoint } = split(text)
  const [, extra = '', place, ...hashes] = lines
  const index = readNumber(place, 'index')
  const entry = decode(extra.replace(/^extra /, ''))
  return exact({ index, entry, hashes: hashes.map(decode), checkpoint }, text, writeInclusion)
}

export function readConsistency(text: string): ConsistencyText | undefined {
  const { lines, checkpoint } = split(text)
  const [place, ...hashes] = lines
  return exact({ from: readNumber(place, 'old'), hashes: hashes.map(decode), checkpoint }, text, writeConsistency)
}
