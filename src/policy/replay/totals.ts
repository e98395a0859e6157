/**
 * How many calls would change, by whom, of what, and through which rule?
 * Stops: memory that grows with the names in the ledger.
 * Trusts: nothing.
 * Fails: beyond the most that are kept apart, names are counted together as `others`.
 */

/** How a call would change. */
export type Change =
  /** It was denied and would be allowed. */
  | 'loosened'
  /** It was allowed and would be denied. */
  | 'tightened'
  /** What the ledger holds of it does not tell. */
  | 'untold'

export interface Count {
  readonly name: string
  readonly loosened: number
  readonly tightened: number
  readonly untold: number
}

export interface Totals {
  count(
    change: Change,
    names: { readonly person: string; readonly tool: string; readonly rules: readonly string[] },
  ): void
  /** Each with the most changed first. */
  read(): { readonly people: readonly Count[]; readonly tools: readonly Count[]; readonly rules: readonly Count[] }
}

/** Names that are kept apart, of each kind. */
export const mostNames = 1_000
const others = 'others'

type Tally = Record<Change, number>

function createTally() {
  const counts = new Map<string, Tally>()
  return {
    add(name: string, change: Change): void {
      const kept = counts.has(name) || counts.size < mostNames ? name : others
      const tally = counts.get(kept) ?? { loosened: 0, tightened: 0, untold: 0 }
      tally[change] += 1
      counts.set(kept, tally)
    },
    read(): Count[] {
      const sum = ({ loosened, tightened, untold }: Count) => loosened + tightened + untold
      return [...counts]
        .map(([name, tally]) => ({ name, ...tally }))
        .toSorted((one, other) => sum(other) - sum(one) || (one.name < other.name ? -1 : 1))
    },
  }
}

export function createTotals(): Totals {
  const [people, tools, rules] = [createTally(), createTally(), createTally()]
  return {
    count(change, names) {
      people.add(names.person, change)
      tools.add(names.tool, change)
      for (const rule of new Set(names.rules)) rules.add(rule, change)
    },
    read: () => ({ people: people.read(), tools: tools.read(), rules: rules.read() }),
  }
}
