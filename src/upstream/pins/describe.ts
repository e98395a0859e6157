/**
 * What waits for a person at this upstream, why, and in what does it differ from what was approved?
 *
 * Stops: an approval without the reasons against it.
 * Trusts: pins and definitions that are read from one row.
 * Fails: a definition that was too large to keep is shown by its name.
 */
import type { Kysely } from 'kysely'
import type { Tables } from '#platform/database'
import type { Pin } from '../definition.ts'
import type { Register } from '../register.ts'
import { addressesOf } from './addresses.ts'
import { differenceOf, type Difference } from './difference.ts'
import { knowTools, type KnownTool } from './likeness.ts'
import { pinColumns, readPin } from './read-pin.ts'
import { reason, type Reason } from './reason.ts'
import { readKept, type Candidate, type Examiner, type Kept } from './warnings.ts'

/** A pin with the definition last seen and what speaks against it. */
export interface SeenTool extends Pin {
  /** As last seen. */
  readonly definition: Record<string, unknown>
  /** Empty for what is approved. */
  readonly reasons: readonly Reason[]
  /** From the approved definition to the one last seen, where there are two. */
  readonly difference?: Difference
}

function standingOf(pin: Pin): Reason[] {
  const standing: Reason[] = []
  const { quarantine } = pin
  if (quarantine !== undefined) {
    const note = quarantine.note === undefined ? '' : `: ${quarantine.note}`
    standing.push(reason('quarantined', `the approval was withdrawn${note}`))
  }
  if (pin.approvedHash === undefined) standing.push(reason('new', 'nobody has approved it'))
  else if (pin.approvedHash !== pin.seenHash) standing.push(reason('changed', 'it is not as it was approved'))
  if (pin.isMoved === true) standing.push(reason('moved', 'it was approved at another command or url'))
  if (pin.isRejected) standing.push(reason('rejected', 'this definition was looked at and rejected'))
  return standing
}

/** Every definition that is approved and not withdrawn, at all upstreams. */
export function approvedTools(register: Register): KnownTool[] {
  return [...register.pins.values()].flatMap((pins) =>
    [...pins.values()].flatMap(({ upstream, tool, approvedDefinition, quarantine }) =>
      approvedDefinition === undefined || quarantine !== undefined
        ? []
        : [{ upstream, tool, definition: approvedDefinition }],
    ),
  )
}

interface Seen {
  readonly pin: Pin
  readonly kept: Kept
}

/** WHY: pin and definition come from one row, so that the hash that is shown is that of the definition beside it. */
async function readSeen(query: Kysely<Tables>, { records }: Register, upstream: string): Promise<Seen[]> {
  const record = records.get(upstream)
  if (record === undefined) return []
  const addresses = addressesOf(record)
  const rows = await query
    .selectFrom('tool_pins')
    .select([...pinColumns, 'seen_definition'])
    .where('upstream', '=', upstream)
    .orderBy('tool')
    .execute()
  return rows.map((row) => ({ pin: readPin(row, addresses), kept: readKept(row.seen_definition, row.seen_hash) }))
}

function describeOne({ pin, kept: { definition, isWhole } }: Seen, warnings: readonly Reason[]): SeenTool {
  const { approvedDefinition } = pin
  const reasons = pin.status === 'approved' ? [] : [...standingOf(pin), ...warnings]
  const isDifferent = approvedDefinition !== undefined && pin.approvedHash !== pin.seenHash && isWhole
  const difference = isDifferent ? { difference: differenceOf(approvedDefinition, definition) } : {}
  return { ...pin, definition, reasons, ...difference }
}

function candidateOf({ pin, kept }: Seen): Candidate {
  return { upstream: pin.upstream, tool: pin.tool, ...kept, approved: pin.approvedDefinition }
}

export interface DescribeNeeds {
  readonly query: Kysely<Tables>
  readonly register: Register
  readonly examiner: Examiner
}

/**
 * All pins of an upstream with their definitions and reasons, by name. Beside approved tools, those of the same upstream
 * that wait are looked at: two new ones that look alike are each a reason against the other.
 */
export async function describeTools(needs: DescribeNeeds, upstream: string): Promise<SeenTool[]> {
  const { query, register, examiner } = needs
  const seen = await readSeen(query, register, upstream)
  const waiting = seen.filter(({ pin }) => pin.status !== 'approved').map(candidateOf)
  const known = knowTools([...approvedTools(register), ...waiting])
  const warnings = await examiner.warningsOf(waiting, known)
  const byTool = new Map(waiting.map(({ tool }, index) => [tool, warnings[index] ?? []] as const))
  return seen.map((one) => describeOne(one, byTool.get(one.pin.tool) ?? []))
}
