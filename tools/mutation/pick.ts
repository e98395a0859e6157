/** A share of all mutants says nearly what all of them say, in a part of the time. */
import { createHash } from 'node:crypto'

export interface Picking {
  /** From 0 to 1. */
  readonly share: number
  readonly seed: string
}

export interface Picked {
  readonly path: string
  /** From 1. */
  readonly line: number
  readonly mutatorName: string
  readonly replacement?: string | undefined
}

/** WHY: by what the mutant is, so that one seed picks the same ones again, in whichever process. */
export function isPicked({ path, line, mutatorName, replacement }: Picked, { share, seed }: Picking): boolean {
  const named = JSON.stringify([seed, path, line, mutatorName, replacement ?? ''])
  return createHash('sha256').update(named).digest().readUInt32BE() < share * 2 ** 32
}
