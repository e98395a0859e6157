/**
 * Does a proof show what it says? Offline, with the public key only.
 * Stops: an entry passed off as recorded; a ledger that does not begin with the one that was seen before.
 * Trusts: the public key that it is given.
 * Fails: by saying what does not fit.
 */
import type { Entry } from '../entry.ts'
import { createHeadVerifier, type Head } from '../heads.ts'
import { hashLeaf } from '../merkle.ts'
import { isConsistent, rootFromInclusion } from '../proofs/check-proof.ts'
import { readConsistency, readInclusion } from '../proofs/proof-text.ts'

export type ProofVerdict =
  /** `entry`: of a proof of one; `from`: of one that the ledger grew. */
  | {
      readonly holds: true
      readonly size: number
      readonly time: string
      readonly entry?: Entry
      readonly from?: number
    }
  | { readonly holds: false; readonly says: string }

export interface AskedVerdict {
  /** The text, as `prove` gave it. */
  readonly proof: string
  /** The line of `ledger-key.pub`. */
  readonly publicKey: string
  /** The signed head that was seen before; needed for a proof that the ledger grew. */
  readonly older?: string | undefined
}

const not = (says: string): ProofVerdict => ({ holds: false, says })

type ReadHead = (note: string) => Head | undefined

function judgeInclusion(proof: NonNullable<ReturnType<typeof readInclusion>>, readHead: ReadHead): ProofVerdict {
  const head = readHead(proof.checkpoint)
  if (head === undefined) return not('its checkpoint is not signed by the ledger key')
  const { size, time } = head
  const root = rootFromInclusion(hashLeaf(proof.entry), { index: proof.index, size }, proof.hashes)
  if (root === undefined || Buffer.compare(root, head.root) !== 0)
    return not(`its entry is not entry ${proof.index + 1} of the ledger that was signed`)
  const entry = JSON.parse(Buffer.from(proof.entry).toString()) as Entry
  return entry.seq === proof.index + 1
    ? { holds: true, size, time, entry }
    : not(`its entry has the number ${entry.seq}, and stands in the place of ${proof.index + 1}`)
}

function judgeGrowth(
  proof: NonNullable<ReturnType<typeof readConsistency>>,
  readHead: ReadHead,
  olderNote: string | undefined,
): ProofVerdict {
  if (olderNote === undefined) return not('it is about growth, and needs the checkpoint that was seen before')
  const [older, newer] = [readHead(olderNote), readHead(proof.checkpoint)]
  if (older === undefined) return not('the checkpoint that was seen before is not signed by the ledger key')
  if (newer === undefined) return not('its checkpoint is not signed by the ledger key')
  if (older.size !== proof.from) return not(`it begins with ${proof.from} entries, and ${older.size} were seen before`)
  if (!isConsistent(older, newer, proof.hashes))
    return not(`the ledger of ${newer.size} entries does not begin with the ${older.size} that were seen before`)
  return { holds: true, size: newer.size, time: newer.time, from: older.size }
}

/** Of either kind: that an entry is in the ledger, or that the ledger only grew. */
export function verifyProof({ proof, publicKey, older }: AskedVerdict): ProofVerdict {
  const verifier = createHeadVerifier(publicKey)
  if (verifier === undefined) return not('the public key is none of a ledger')
  const inclusion = readInclusion(proof)
  if (inclusion !== undefined) return judgeInclusion(inclusion, verifier.read)
  const consistency = readConsistency(proof)
  return consistency === undefined ? not('it is no proof of a ledger') : judgeGrowth(consistency, verifier.read, older)
}
