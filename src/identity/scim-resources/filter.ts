/**
 * Can this filter be used? Read as far as it has to be, in bounds, before any of it becomes a query.
 * Stops: filters that are too long, too deep or of too many terms; a search of one that cannot be read.
 * Trusts: scim2-parse-filter for the grammar. Fails: with the reason in the words of the standard.
 * @see RFC 7644, section 3.4.2.2
 */
import { type Refusal, refuse } from '#kernel'
import { type Filter, parse } from 'scim2-parse-filter'
import { scimLimits } from '../scim/limits.ts'
import { scimRefusals } from '../scim/refusals.ts'

/** The refusal for a filter that cannot be used. */
export function badFilter(problem: string): Refusal {
  return refuse(scimRefusals.filterInvalid, { names: { problem } })
}

/** Brackets within each other, and `not` before `not`, in a text that is not read yet. A value without end goes to the end. */
function depthOf(text: string): number {
  let [depth, deepest] = [0, 0]
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\[^])*(?:"|\\?$)|[[\]()]|\bnot\b/gi)) {
    if (token === '(' || token === '[' || token.toLowerCase() === 'not') depth += 1
    else if (token === ')' || token === ']') depth -= 1
    deepest = Math.max(deepest, depth)
    if (token.toLowerCase() === 'not') depth -= 1
  }
  return deepest
}

function termsOf(filter: Filter): number {
  if ('filters' in filter) {
    return filter.filters.reduce((sum, one) => sum + termsOf(one), 0)
  }
  if (filter.op === 'not') return termsOf(filter.filter)
  return filter.op === '[]' ? termsOf(filter.valFilter) : 1
}

/** Reads a filter. */
export function readFilter(text: string): Filter | Refusal {
  if (text.length > scimLimits.filterChars) return badFilter('too long')
  if (depthOf(text) > scimLimits.filterDepth) return badFilter('too deep')
  // WHY: the parser goes as deep as there are words `not` in a row.
  if (/\bnot\s+not\b/i.test(text)) return badFilter('not not')
  let filter: Filter
  try {
    filter = parse(text)
  } catch {
    return badFilter('syntax')
  }
  return termsOf(filter) > scimLimits.filterTerms ? badFilter('too many terms') : filter
}
