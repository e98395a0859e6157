/**
 * How deep is a Cedar text?
 * Stops: a text of a few kilobytes on which the official engine runs over its stack.
 * Trusts: nothing: what is no Cedar has a depth as well.
 * Fails: what cannot be told is deeper than it is, never less deep.
 * @see https://docs.cedarpolicy.com/policies/syntax-grammar.html
 */

/** Brackets in brackets. The engine of a thread without much stack gives up somewhere beyond 64. */
export const mostBrackets = 32
/** Operators whose operands hold each other, brackets among them. It gives up somewhere beyond 512. */
export const mostNested = 400

const tokens =
  /\/\/[^\n]*|"(?:[^"\\]|\\.)*\\?(?:"|$)|(?<open>[([{])|(?<close>[)\]}])|(?<between>[,;])|(?<chain>&&|\|\||\b(?:if|then|else|when|unless)\b)|(?<tight>[-+*!.<>=]|\b(?:in|has|like|is)\b)/gsu

/** What lies between two brackets. */
interface Level {
  /** Operators that bind less than others: their first operand lies below all of them. */
  chain: number
  /** Of the operand that is being read. */
  tight: number
  inner: number
  /** Of operands that were read since the last comma. */
  deepest: number
  /** Of everything before. */
  known: number
}

const emptyLevel = (): Level => ({ chain: 0, tight: 0, inner: 0, deepest: 0, known: 0 })

function endOperand(level: Level): void {
  level.deepest = Math.max(level.deepest, level.tight + level.inner)
  level.tight = 0
  level.inner = 0
}

function endElement(level: Level): number {
  endOperand(level)
  level.known = Math.max(level.known, level.chain + level.deepest)
  level.chain = 0
  level.deepest = 0
  return level.known
}

/** What is too deep in a text; undefined where nothing is. */
export function depthProblem(text: string): string | undefined {
  let level = emptyLevel()
  const outer: Level[] = []
  for (const { groups = {} } of text.matchAll(tokens)) {
    if (groups['chain'] !== undefined) {
      endOperand(level)
      level.chain += 1
    } else if (groups['tight'] !== undefined) level.tight += 1
    else if (groups['between'] !== undefined) endElement(level)
    else if (groups['open'] !== undefined) {
      outer.push(level)
      level = emptyLevel()
      if (outer.length > mostBrackets) return `there are more than ${mostBrackets} brackets in one another`
    } else if (groups['close'] !== undefined) {
      const depth = endElement(level) + 1
      level = outer.pop() ?? emptyLevel()
      level.inner = Math.max(level.inner, depth)
    }
  }
  for (const rest of [level, ...outer.toReversed()]) {
    rest.inner = Math.max(rest.inner, level === rest ? 0 : endElement(level) + 1)
    level = rest
  }
  if (endElement(level) <= mostNested) return undefined
  return `more than ${mostNested} operators hold each other: ask for one of a set, or write several rules`
}
