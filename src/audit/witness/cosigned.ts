/**
 * Did this witness sign this checkpoint?
 * Stops: an answer of somebody else counted as the word of a witness.
 * Trusts: the witness's public key.
 * Fails: with undefined.
 */
import { keyKinds, readNote, readNoteKey, signatureBy } from '../notes/signed-note.ts'

/**
 * @param lines what a witness answered
 * @param witnessKey its line
 * @returns the checkpoint with the signature of the witness under it; undefined where there is none
 */
export function cosigned(checkpoint: string, lines: string, witnessKey: string): string | undefined {
  const key = readNoteKey(witnessKey)
  const note = readNote(checkpoint + lines)
  if (key?.kind !== keyKinds.cosignature || note === undefined) return undefined
  const signature = signatureBy(note, key)
  return signature === undefined ? undefined : checkpoint + signature.line
}
