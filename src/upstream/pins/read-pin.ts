/**
 * What does a row of `tool_pins` say of a tool at this upstream?
 *
 * Stops: approvals that were withdrawn, or given for another command or URL, from counting.
 * Trusts: the row, because only this room writes it.
 * Fails: an approval without its addresses counts for none.
 */
import type { Selectable } from 'kysely'
import type { Tables } from '#platform/database'
import type { Pin } from '../definition.ts'
import { isReachedAsApproved } from './addresses.ts'
import { readDefinition } from './warnings.ts'

/** What is read of every row. The definitions last seen are not: an upstream decides how large they are. */
export const pinColumns = [
  'upstream',
  'tool',
  'approved_hash',
  'approved_definition',
  'approved_at',
  'approved_by',
  'approved_addresses',
  'approved_despite',
  'seen_hash',
  'seen_at',
  'rejected_hash',
  'quarantined_at',
  'quarantined_by',
  'quarantine_note',
] as const

export type PinColumns = Pick<Selectable<Tables['tool_pins']>, (typeof pinColumns)[number]>

function quarantineOf(row: PinColumns): Pin['quarantine'] {
  if (row.quarantined_at === null) return undefined
  const note = row.quarantine_note
  return { at: Number(row.quarantined_at), by: row.quarantined_by ?? '', ...(note === null ? {} : { note }) }
}

function isMoved(row: PinColumns, addresses: readonly string[]): boolean {
  if (row.approved_hash === null) return false
  return !isReachedAsApproved(JSON.parse(row.approved_addresses ?? '[]') as string[], addresses)
}

function statusOf(row: PinColumns, hasMoved: boolean): Pin['status'] {
  if (row.quarantined_at !== null) return 'quarantined'
  if (row.approved_hash === null) return 'new'
  return row.approved_hash === row.seen_hash && !hasMoved ? 'approved' : 'changed'
}

/** @param addresses of the upstream as it is reached, from `addressesOf` */
export function readPin(row: PinColumns, addresses: readonly string[]): Pin {
  const approved = row.approved_definition
  const quarantine = quarantineOf(row)
  const hasMoved = isMoved(row, addresses)
  return {
    upstream: row.upstream,
    tool: row.tool,
    status: statusOf(row, hasMoved),
    ...(approved === null ? {} : { approvedDefinition: readDefinition(approved) }),
    ...(row.approved_hash === null ? {} : { approvedHash: row.approved_hash }),
    seenHash: row.seen_hash,
    seenAt: Number(row.seen_at),
    ...(row.approved_at === null ? {} : { approvedAt: Number(row.approved_at) }),
    ...(row.approved_by === null ? {} : { approvedBy: row.approved_by }),
    ...(row.approved_despite === null ? {} : { approvedDespite: JSON.parse(row.approved_despite) as string[] }),
    ...(hasMoved ? { isMoved: true } : {}),
    ...(quarantine === undefined ? {} : { quarantine }),
    isRejected: row.rejected_hash === row.seen_hash,
  }
}
