/**
 * What do the rows of `classifications` say?
 *
 * Stops: a row that somebody damaged from counting as harmless.
 * Trusts: the database to return what was committed.
 * Fails: a row that cannot be read counts as the worst.
 */
import type { Selectable } from 'kysely'
import { type Classification, isRefusal, unclassified } from '#kernel'
import type { Tables } from '#platform/database'
import { checkClassification } from './check-classification.ts'

export interface KeptClassification {
  /** The definition that it was given for; empty for a server. */
  readonly hash: string
  readonly classification: Classification
}

/** By upstream, then by tool; under the empty name the server as a whole. */
export type Classified = ReadonlyMap<string, ReadonlyMap<string, KeptClassification>>

function read(text: string): Classification {
  try {
    const checked = checkClassification(JSON.parse(text) as Classification)
    return isRefusal(checked) ? unclassified : checked
  } catch {
    return unclassified
  }
}

export function readClassifications(rows: readonly Selectable<Tables['classifications']>[]): Classified {
  const byUpstream = Map.groupBy(rows, (row) => row.upstream)
  return new Map(
    [...byUpstream].map(([upstream, own]) => [
      upstream,
      new Map(
        own.map((row) => [row.tool, { hash: row.approved_hash, classification: read(row.classification) }] as const),
      ),
    ]),
  )
}
