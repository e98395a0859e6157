/**
 * Is this tool definition the one that was approved?
 *
 * Stops: a tool that changes its words, schema or anything else after approval.
 * Trusts: nothing; the whole object counts, members unknown today included. What a tool says about itself is never a reason.
 * Fails: what cannot be hashed is not approved.
 * @see RFC 8785, JSON canonicalization
 */
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { isObject } from '#protocol'

/** Of canonical JSON. What is larger is known by its hash alone and cannot be approved. */
export const maxDefinitionBytes = 64 * 1024
const maxToolNameChars = 256

/** What every request has to know of one tool of one upstream. */
export interface Pin {
  readonly upstream: string
  readonly tool: string
  /**
   * `approved`: last seen as approved. `changed`: last seen with another definition than the approved one, or at another
   * command or URL. `new`: never approved. `quarantined`: an approval was withdrawn.
   */
  readonly status: 'approved' | 'new' | 'changed' | 'quarantined'
  /** As approved; absent while `new`. */
  readonly approvedDefinition?: Record<string, unknown>
  readonly approvedHash?: string
  readonly seenHash: string
  /** Wall-clock milliseconds. */
  readonly seenAt: number
  readonly approvedAt?: number
  /** The id of the person. */
  readonly approvedBy?: string
  /** Keys of the warnings that were accepted with the approval. */
  readonly approvedDespite?: readonly string[]
  /** The approval was given for another command or URL. */
  readonly isMoved?: boolean
  readonly quarantine?: { readonly at: number; readonly by: string; readonly note?: string }
  /** The definition last seen was looked at and rejected. */
  readonly isRejected: boolean
}

/** A tool as an upstream offered it. */
export interface OfferedTool {
  readonly tool: string
  /** SHA-256 of the whole tool object as canonical JSON, lower-case hex. */
  readonly hash: string
  /** The whole tool object as canonical JSON; of one that is too large, its name only. */
  readonly canonical: string
  /** Bytes of the whole, where `canonical` is not all of it. */
  readonly tooLargeBytes?: number
}

function isReadableName(name: unknown): name is string {
  if (typeof name !== 'string' || name.length === 0 || name.length > maxToolNameChars) return false
  // WHY: a name with control characters could not be shown to the person who looks at it.
  return !/[\u0000-\u001f\u007f-\u009f]/.test(name) && name.isWellFormed()
}

/** Reads one element of a `tools` list; undefined when it has no readable name or cannot be hashed. */
export function readTool(definition: unknown): OfferedTool | undefined {
  if (!isObject(definition)) return undefined
  const tool = definition['name']
  if (!isReadableName(tool)) return undefined
  try {
    const canonical = canonicalize(definition)
    if (canonical === undefined) return undefined
    const hash = createHash('sha256').update(canonical).digest('hex')
    const bytes = Buffer.byteLength(canonical)
    if (bytes <= maxDefinitionBytes) return { tool, hash, canonical }
    return { tool, hash, canonical: JSON.stringify({ name: tool }), tooLargeBytes: bytes }
  } catch {
    return undefined
  }
}

/** Whether exactly this definition, of this tool, was approved and the tool was not seen otherwise since. */
export function isDefinitionApproved(pin: Pin | undefined, definition: unknown): boolean {
  if (pin?.approvedHash === undefined || pin.status !== 'approved') return false
  const offered = readTool(definition)
  return offered !== undefined && offered.tool === pin.tool && offered.hash === pin.approvedHash
}
