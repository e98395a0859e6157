/**
 * Which decisions rest on nothing but the principal and the name of what they want?
 * Stops: work for each call where no rule reads more; memory that grows with names that callers make up.
 * Trusts: what the rules say that they read; that a principal never changes.
 * Fails: a read that is not on the list below counts as one of everything, and nothing is remembered here.
 */
import type { EffectClass, Principal } from '#kernel'
import type { Decision } from './decide.ts'
import type { Asked } from './explain.ts'
import type { Permission } from './permissions.ts'

/** Everything that such a decision is found by. */
export interface PlainQuestion {
  readonly principal: Principal
  readonly permission: Permission
  readonly target: Asked
  readonly effect: EffectClass
}

/** Lives and dies with a snapshot. */
export interface PlainAnswers {
  find(asked: PlainQuestion): Decision | undefined
  /**
   * Keeps the decision if that is all it rests on.
   * @param reads of all rules that could apply; a list that does not change
   * @returns the decision, as it is kept where it is
   */
  keep(asked: PlainQuestion, decision: Decision, reads: () => readonly string[]): Decision
}

const longestName = 256
const mostOfOnePrincipal = 500

const plain =
  /^(action( in .*)?|principal( in Castellan::(Role|Group)::"[^"]*"| is Castellan::\w+|\.id|\.name)?|resource(\.upstream|\.name| is Castellan::\w+)?)$/

function isShort(text: unknown): text is string {
  return typeof text === 'string' && text.length <= longestName
}

/** INVARIANT: begins with lengths, so that it can be read in one way only. */
function keyOf({ permission, target, effect }: PlainQuestion): string | undefined {
  if (!isShort(permission) || !isShort(effect)) return undefined
  if (target === 'castellan') return permission
  const { kind, upstream, name = '' } = target ?? {}
  if (!isShort(kind) || !isShort(upstream) || !isShort(name)) return undefined
  const hasName = target.name === undefined ? '' : '+'
  return `${permission} ${effect} ${kind}${hasName} ${upstream.length} ${upstream}${name}`
}

/** WHY: rules that are asked together say what they read in one list for good. */
function createIsPlain(): (reads: readonly string[]) => boolean {
  const judged = new WeakMap<readonly string[], boolean>()
  return (reads) => {
    const known = judged.get(reads)
    if (known !== undefined) return known
    const isPlain = reads.every((read) => plain.test(read))
    judged.set(reads, isPlain)
    return isPlain
  }
}

export function createPlainAnswers(): PlainAnswers {
  const isPlain = createIsPlain()
  const byPrincipal = new WeakMap<Principal, Map<string, Decision>>()
  return {
    find(asked) {
      const known = byPrincipal.get(asked.principal)
      const key = known === undefined ? undefined : keyOf(asked)
      return key === undefined ? undefined : known?.get(key)
    },
    keep(asked, decision, reads) {
      // WHY: denials tell what was read, and would fill the place with names that nobody has.
      if (!decision.isAllowed || !isPlain(reads())) return decision
      const key = keyOf(asked)
      if (key === undefined) return decision
      const known = byPrincipal.get(asked.principal) ?? new Map<string, Decision>()
      if (known.size >= mostOfOnePrincipal) known.clear()
      // INVARIANT: a copy: reasons that are made when they are read would keep the question, and its arguments.
      const { isAllowed, snapshotVersion, remedies, mayDepend } = decision
      const reasons = Object.freeze([...decision.reasons])
      const kept = Object.freeze({ isAllowed, reasons, snapshotVersion, remedies, mayDepend })
      byPrincipal.set(asked.principal, known.set(key, kept))
      return kept
    },
  }
}
