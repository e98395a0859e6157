/**
 * What did an administrator say that a tool does and holds?
 *
 * Stops: what a tool says of itself from counting; a classification that outlives the definition it was given for.
 * Trusts: the caller to have decided that `by` may do this.
 * Fails: with a Refusal, or a Fault of the database or ledger; then nothing has changed. What nobody classified is the worst.
 */
import type { Kysely } from 'kysely'
import type { Ledger } from '#audit'
import { type Classification, type Clock, isRefusal, type Principal, refuse, type Refusal, unclassified } from '#kernel'
import type { Database, Tables } from '#platform/database'
import { upstreamEvents } from '../events.ts'
import { upstreamRefusals } from '../refusals.ts'
import type { Registry } from '../register.ts'
import { checkClassification } from './check-classification.ts'

export interface Classifications {
  /**
   * What counts: the tool's own while its definition is the one that was classified, else its server's, else the worst.
   * Without a tool the server's; it is an outlet when one of its tools is.
   */
  of(upstream: string, tool?: string): Classification
  /** What was said of a tool, or of the server when none is named, whatever has become of its definition. */
  given(
    upstream: string,
    tool?: string,
  ): { readonly classification: Classification; readonly counts: boolean } | undefined
  /** Of approved tools, or of the server when `tools` is left out. In force on every node from its next refresh on. */
  set(change: {
    readonly upstream: string
    readonly tools?: readonly string[] | undefined
    readonly classification: Classification
    readonly by: Principal
  }): Promise<Refusal | undefined>
}

/** Writes one row inside the transaction that approves or changes. */
export async function writeClassification(transaction: Kysely<Tables>, row: Tables['classifications']): Promise<void> {
  const { upstream, tool, ...rest } = row
  await transaction
    .insertInto('classifications')
    .values({ upstream, tool, ...rest })
    .onConflict((conflict) => conflict.columns(['upstream', 'tool']).doUpdateSet(rest))
    .execute()
}

/** Says what counts, as of the last refresh of the registry. */
function createReading(registry: Registry): Pick<Classifications, 'of' | 'given'> {
  function given(upstream: string, tool = '') {
    const { classifications, pins } = registry.current
    const kept = classifications.get(upstream)?.get(tool)
    if (kept === undefined) return undefined
    const counts = tool === '' || pins.get(upstream)?.get(tool)?.approvedHash === kept.hash
    return { classification: kept.classification, counts }
  }

  // WHY: a server is asked about with every exchange, and knows as many tools as it likes.
  let servers = { of: registry.current, known: new Map<string, Classification>() }

  /** INVARIANT: what is sent to a server by another way than a call reaches the process that its outlets send from. */
  function ofServer(upstream: string): Classification {
    const { current } = registry
    if (servers.of !== current) servers = { of: current, known: new Map() }
    const known = servers.known.get(upstream)
    if (known !== undefined) return known
    const own = given(upstream)?.classification ?? unclassified
    const tools = [...(current.classifications.get(upstream)?.keys() ?? [])].filter((tool) => tool !== '')
    const sends = tools
      .map((tool) => given(upstream, tool))
      .some((kept) => kept?.counts === true && kept.classification.isOutlet)
    const counted = sends ? { ...own, isOutlet: true } : own
    // WHY: names come from callers, too; only those of servers that there are stay.
    if (current.records.has(upstream)) servers.known.set(upstream, counted)
    return counted
  }

  function of(upstream: string, tool?: string): Classification {
    if (tool === undefined) return ofServer(upstream)
    const own = given(upstream, tool)
    if (own?.counts === true) return own.classification
    return given(upstream)?.classification ?? unclassified
  }

  return { of, given }
}

export function createClassifications(needs: {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  readonly registry: Registry
}): Classifications {
  const { database, ledger, clock, registry } = needs

  const { of, given } = createReading(registry)

  function hashesOf(upstream: string, tools: readonly string[]): Map<string, string> | Refusal {
    const hashes = new Map<string, string>()
    for (const tool of new Set(tools)) {
      const hash = registry.current.pins.get(upstream)?.get(tool)?.approvedHash
      if (hash === undefined) return refuse(upstreamRefusals.toolUnapproved, { names: { tool } })
      hashes.set(tool, hash)
    }
    return hashes
  }

  return {
    of,
    given,
    async set({ upstream, tools, classification, by }) {
      const checked = checkClassification(classification)
      if (isRefusal(checked)) return checked
      await registry.refresh()
      if (!registry.current.records.has(upstream)) {
        return refuse(upstreamRefusals.unknown, { names: { name: upstream } })
      }
      const hashes = tools === undefined ? new Map([['', '']]) : hashesOf(upstream, tools)
      if (isRefusal(hashes)) return hashes
      const text = JSON.stringify(checked)
      await database.transaction(async (transaction) => {
        for (const [tool, hash] of hashes) {
          const row = { upstream, tool, approved_hash: hash, classification: text }
          await writeClassification(transaction, { ...row, set_at: clock.now(), set_by: by.id })
          const target =
            tool === '' ? { upstream, kind: 'server' as const } : { upstream, kind: 'tool' as const, name: tool }
          const details = { before: given(upstream, tool)?.classification ?? null, after: checked }
          // INVARIANT: the change is committed only after the ledger has it.
          await ledger.append(upstreamEvents.classified, { principal: by, target, outcome: 'succeeded', details })
        }
      })
      await registry.refresh()
      return undefined
    },
  }
}
