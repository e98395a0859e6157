/**
 * How is a policy file laid out?
 * Stops: changes of layout that hide changes of rules.
 * Trusts: the official engine's formatter, which keeps comments.
 * Fails: a text that does not parse is told, and stays as it is.
 */
import { askOfficial, gaveUp } from '../cedar/official.ts'
import { depthProblem } from '../cedar/nesting.ts'

export type Formatted = { readonly text: string; readonly problem?: never } | { readonly problem: string }

/** One Cedar text in the engine's layout, lines of at most 100 characters where they can be broken. */
export function formatPolicy(text: string): Formatted {
  const problem = depthProblem(text)
  if (problem !== undefined) return { problem }
  const answer = askOfficial((engine) => engine.formatPolicies({ policyText: text, lineWidth: 100, indentWidth: 2 }))
  if (answer === undefined) return { problem: gaveUp }
  if (answer.type === 'failure') return { problem: answer.errors[0]?.message ?? 'it cannot be read' }
  const formatted = answer.formatted_policy
  return { text: formatted.endsWith('\n') ? formatted : `${formatted}\n` }
}
