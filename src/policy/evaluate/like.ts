/**
 * Does a text fit a pattern?
 * Stops: a star in a text that counts as a wildcard; a match that takes exponential time.
 * Trusts: nothing.
 * Fails: a pattern of unknown form is a Fault; what is no text is wrong.
 * @see https://docs.cedarpolicy.com/policies/syntax-operators.html#like-string-matching-with-wildcard
 */
import { Fault } from '#kernel'
import { spoiled, type Unary } from './operators.ts'

/** The literal stretches between wildcards: `a*b` is `['a', 'b']`. */
function readPattern(pattern: unknown): string[] {
  if (!Array.isArray(pattern)) throw new Fault('policy.unreadable', 'a pattern is no list')
  const stretches = ['']
  for (const element of pattern as readonly unknown[]) {
    if (element === 'Wildcard') {
      stretches.push('')
      continue
    }
    const literal = (element as { Literal?: unknown } | null)?.Literal
    if (typeof literal !== 'string') throw new Fault('policy.unreadable', 'a pattern has an element of no known form')
    stretches[stretches.length - 1] += literal
  }
  return stretches
}

function fits(text: string, stretches: readonly string[]): boolean {
  const [first = '', ...others] = stretches
  const last = others.pop()
  if (last === undefined) return text === first
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
  let at = first.length
  for (const stretch of others) {
    const found = text.indexOf(stretch, at)
    if (found === -1) return false
    at = found + stretch.length
  }
  return at <= text.length - last.length
}

/** @param pattern a list of `Wildcard` and `{ Literal }` */
export function like(pattern: unknown): Unary {
  const stretches = readPattern(pattern)
  return (arg) => (typeof arg === 'string' ? fits(arg, stretches) : spoiled('a string', arg))
}
