/**
 * Is this tool definition the one that was approved?
 *
 * Stops: a tool that changes its words, schema or anything else after approval.
 * Trusts: nothing; the whole object counts, members unknown today included.
 * Fails: what cannot be hashed is not approved.
 * @see RFC 8785, JSON canonicalization
 */
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { isObject } from '#protocol'

const maxDefinitionBytes = 256 * 1024
const maxToolNameChars = 256

/** What is known of one tool of one upstream. */
export interface Pin {
  readonly upstream: string
  readonly tool: string
  /** `approved`: last seen as approved. `changed`: last seen with another definition than the approved one. `new`: never approved. */
  readonly status: 'approved' | 'new' | 'changed'
  /** As last seen. */
  readonly definition: Record<string, unknown>
  /** As approved; absent while `new`. */
  readonly approvedDefinition?: Record<string, unknown>
  readonly approvedHash?: string
  readonly seenHash: string
  /** Wall-clock milliseconds. */
  readonly seenAt: number
  readonly approvedAt?: number
  /** The id of the person. */
  readonly approvedBy?: string
  /** The definition last seen was looked at and rejected. */
  readonly isRejected: boolean
}

/** A tool as an upstream offered it. */
export interface OfferedTool {
  readonly tool: string
  /** SHA-256 of `canonical`, lower-case hex. */
  readonly hash: string
  /** The whole tool object as canonical JSON. */
  readonly canonical: string
}

/** Reads one element of a `tools` list; undefined when it has no usable name, cannot be hashed or is beyond the limits. */
export function readTool(definition: unknown): OfferedTool | undefined {
  if (!isObject(definition)) return undefined
  const tool = definition['name']
  if (typeof tool !== 'string' || tool.length === 0 || tool.length > maxToolNameChars) return undefined
  // WHY: a name with control characters could not be shown to the person who approves it.
  if (/[\u0000-\u001f\u007f-\u009f]/.test(tool) || !tool.isWellFormed()) return undefined
  try {
    const canonical = canonicalize(definition)
    if (canonical === undefined || Buffer.byteLength(canonical) > maxDefinitionBytes) return undefined
    return { tool, hash: createHash('sha256').update(canonical).digest('hex'), canonical }
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
