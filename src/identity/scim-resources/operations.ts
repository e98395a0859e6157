/**
 * Which changes does a patch ask for? Its operations, read before any of them is applied.
 * Stops: more operations than are taken, operations that are none, texts where lists belong.
 * Trusts: nothing. Fails: with the first operation that cannot be read; then none is applied.
 * @see RFC 7644, section 3.5.2
 */
import { type Refusal, refuse } from '#kernel'
import { scimLimits } from '../scim/limits.ts'
import { scimRefusals } from '../scim/refusals.ts'
import { isMembers, type Members } from './read-values.ts'

export interface Operation {
  readonly op: 'add' | 'remove' | 'replace'
  /** As it came; none where the value has the names. */
  readonly path: string | undefined
  readonly value: unknown
}

/** The refusal for a request that is not of the form that the standard gives it. */
export function wrongSyntax(problem: string): Refusal {
  return refuse(scimRefusals.syntaxInvalid, { names: { problem } })
}

const words = ['add', 'remove', 'replace'] as const

function readOperation(one: unknown): Operation | undefined {
  if (!isMembers(one) || typeof one['op'] !== 'string') return undefined
  // SPEC: Entra writes `Add`, `Replace` and `Remove`.
  const word = one['op'].toLowerCase()
  const op = words.find((each) => each === word)
  const { path, value } = one
  if (op === undefined || (path !== undefined && path !== null && typeof path !== 'string')) return undefined
  const isPathless = path === undefined || path === null || path === ''
  if (isPathless && (op === 'remove' || !isMembers(value))) return undefined
  return op !== 'remove' && value === undefined ? undefined : { op, path: isPathless ? undefined : path, value }
}

/** Reads the body of a PATCH. */
export function readOperations(body: Members): readonly Operation[] | Refusal {
  const list = body['Operations'] ?? body['operations']
  if (!Array.isArray(list) || list.length === 0) return wrongSyntax('Operations')
  if (list.length > scimLimits.operations) return refuse(scimRefusals.bodyTooLarge, { names: { what: 'Operations' } })
  const operations = list.map(readOperation)
  const at = operations.indexOf(undefined)
  return at === -1 ? (operations as Operation[]) : wrongSyntax(`Operations[${at}]`)
}
