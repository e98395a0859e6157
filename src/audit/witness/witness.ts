/**
 * May this checkpoint be cosigned?
 * Stops: a log that shows one past to one and another to others, or takes back what it has shown.
 * Trusts: the public keys of the logs it was told of, and its own store.
 * Fails: without a signature; what a log signed and what does not fit is kept.
 * @see https://c2sp.org/tlog-witness
 */
import type { Clock } from '#kernel'
import { type Checkpoint, type NoteKey, readCheckpointText, readNote, signatureBy } from '../notes/signed-note.ts'
import { isConsistent } from '../proofs/check-proof.ts'
import { readConsistency } from '../proofs/proof-text.ts'
import type { SeenTree, WitnessStore } from '../storage/witness-store.ts'
import type { Cosigner } from './cosign.ts'

/** What a request is answered with. */
export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422
  /** Signature lines, a size, or why not. */
  readonly body: string
  /** `conflict`: what was seen is another size; `fork`: the log signed two pasts, or took one back. */
  readonly finding?: 'conflict' | 'fork'
  readonly origin?: string
}

export interface WitnessNeeds {
  /** By origin. */
  readonly logs: ReadonlyMap<string, NoteKey>
  readonly store: WitnessStore
  readonly cosigner: Cosigner
  readonly clock: Clock
}

interface Weighing {
  readonly from: number
  readonly hashes: readonly Uint8Array[]
  readonly tree: Checkpoint
}

const sizeLine = (size: number): string => `${size}\n`

/** @returns undefined when it may be cosigned */
function refuse({ from, hashes, tree }: Weighing, seen: SeenTree | undefined): WitnessAnswer | undefined {
  const { origin, size } = tree
  const known = seen?.size ?? 0
  if (from !== known) return { status: 409, body: sizeLine(known), finding: 'conflict', origin }
  if (seen !== undefined && size === known && Buffer.compare(seen.root, tree.root) !== 0)
    return { status: 409, body: sizeLine(known), finding: 'fork', origin }
  if (seen !== undefined ? isConsistent(seen, tree, hashes) : hashes.length === 0) return undefined
  return { status: 422, body: 'the log does not begin with what was cosigned before\n', finding: 'fork', origin }
}

/** Makes the answer to one body of `add-checkpoint`. Throws when it cannot be kept; nothing is signed then. */
export function createWitness({ logs, store, cosigner, clock }: WitnessNeeds): (request: string) => WitnessAnswer {
  return (request) => {
    const asked = readConsistency(request)
    const note = asked === undefined ? undefined : readNote(asked.checkpoint)
    const tree = note === undefined ? undefined : readCheckpointText(note.text)
    if (asked === undefined || note === undefined || tree === undefined)
      return { status: 400, body: 'this is no request to add a checkpoint\n' }
    const { origin } = tree
    const log = logs.get(origin)
    if (log === undefined) return { status: 404, body: 'this log is not known here\n', origin }
    if (signatureBy(note, log) === undefined)
      return { status: 403, body: 'the checkpoint is not signed by the log\n', origin }
    if (asked.from > tree.size) return { status: 400, body: 'the old size is larger than the checkpoint\n', origin }
    const nowMs = clock.now()
    const weighing = { from: asked.from, hashes: asked.hashes, tree }
    // INVARIANT: looked at, kept and only then signed, so that of two requests at once one is a conflict.
    const answer = store.update(origin, (seen): { result: WitnessAnswer; seen?: SeenTree } => {
      const refused = refuse(weighing, seen)
      if (refused !== undefined) return { result: refused }
      return { result: { status: 200, body: '', origin }, seen: { size: tree.size, root: tree.root } }
    })
    if (answer.status === 200) return { ...answer, body: cosigner.cosign(note.text, nowMs) }
    if (answer.finding === 'fork') store.keepEvidence(origin, request, nowMs)
    return answer
  }
}
