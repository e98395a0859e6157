/**
 * What would have happened, what did, and why?
 * Stops: two replays at once on one node, which would share what calls leave them.
 * Trusts: its caller to have decided that the asker may read the ledger and the rules.
 * Fails: refused; or with the Fault of the ledger or the database.
 */
import type { Ledger } from '#audit'
import { isRefusal, type Principal, type Refusal, refuse } from '#kernel'
import { createDecide, type Deciding } from '../decide.ts'
import { prepareInSlices } from '../snapshot/load.ts'
import type { Rows } from '../snapshot/store.ts'
import { type ExplainedCall, explainCall } from './explain-call.ts'
import { explainDecision, type Explanation, type Question } from './explain-decision.ts'
import { callsReplayed } from './events.ts'
import type { Budget } from './pace.ts'
import { type ReadPolicy, readSource, type TriedPolicy } from './read-source.ts'
import { replayRefusals } from './refusals.ts'
import { replay, type ReplayFilter, type ReplayLine } from './replay.ts'

export interface AskedReplay {
  readonly by: Principal
  readonly policy: TriedPolicy
  readonly filter: ReplayFilter
  /** Ends it after the call at hand; a summary comes. */
  readonly signal: AbortSignal
  readonly budget?: Budget
}

export interface Replays {
  /** Judges the calls of the ledger by a policy that is not in force; one at a time, up to its last line or the signal. */
  replay(asked: AskedReplay): Promise<AsyncGenerator<ReplayLine, void> | Refusal>
  /** @param named the number of an entry, or the id of an exchange */
  explainCall(named: string): Promise<ExplainedCall | Refusal>
  /** What the policy in force says, with its reasons in full. */
  explain(question: Question): Explanation
}

export interface ReplayNeeds {
  readonly database: { readonly query: Rows }
  readonly ledger: Pick<Ledger, 'append' | 'read' | 'state'>
  /** By what is in force. */
  readonly deciding: Deciding
}

export function createReplays({ database: { query: rows }, ledger, deciding }: ReplayNeeds): Replays {
  let running: AskedReplay | undefined

  function end(asked: AskedReplay): void {
    if (running === asked) running = undefined
  }

  async function* run(asked: AskedReplay, read: ReadPolicy): AsyncGenerator<ReplayLine, void> {
    const { filter, signal, budget, by: principal, policy } = asked
    const loaded = await prepareInSlices(
      { version: read.version, hash: read.hash, cedar: read.compiled.cedar },
      read.compiled,
    )
    const [decide, inForce] = [createDecide({ ...deciding, current: () => loaded }), createDecide(deciding)]
    let last: Extract<ReplayLine, { counts: unknown }> | undefined
    try {
      for await (const line of replay({ ledger, decide, inForce, filter, signal, ...(budget && { budget }) })) {
        if (line.kind !== 'change') last = line
        yield line
      }
    } finally {
      end(asked)
      const ended = last?.kind === 'summary' ? last.ended : 'stopped'
      const draft = 'draft' in policy ? policy.draft : undefined
      const details = { draft, hash: read.hash, filter, counts: last?.counts, ended }
      await ledger.append(callsReplayed, { principal, outcome: 'succeeded', details })
    }
  }

  return {
    async replay(asked) {
      if (running !== undefined) return refuse(replayRefusals.replayRunning)
      running = asked
      // WHY: one that is given up before its first line never comes to its end.
      asked.signal.addEventListener('abort', () => end(asked), { once: true })
      try {
        const read = await readSource(rows, asked.policy)
        if (!isRefusal(read)) return run(asked, read)
        end(asked)
        return read
      } catch (thrown) {
        end(asked)
        throw thrown
      }
    },
    explainCall: (named) => explainCall({ rows, ledger, deciding }, named),
    explain: (question) => explainDecision(deciding, question),
  }
}
