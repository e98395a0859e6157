/**
 * What would it cost to read this schema?
 *
 * Stops: schemas so deep, so many or so folded into each other that whoever compiles or expands them runs out of time or memory.
 * Trusts: nothing. Each value is counted once, however often it is referred to.
 * Fails: a schema that cannot be counted is too large.
 * @see MCP 2026-07-28, tools: JSON Schema usage
 */

export const maxSchemaDepth = 32
export const maxSchemaValues = 8_000
/** Values after every reference to a part of the same schema was replaced by that part. */
export const maxUnfoldedValues = 50_000

/** References that lead to each other in one row. */
const maxChain = 256

interface Measure {
  values: number
  deepest: number
}

/** INVARIANT: what is parsed is no deeper than `maxJsonDepth`, so this cannot run out of stack. */
function measure(value: unknown, depth: number, so: Measure): void {
  so.values += 1
  if (depth > so.deepest) so.deepest = depth
  if (typeof value !== 'object' || value === null) return
  for (const member of Object.values(value)) measure(member, depth + 1, so)
}

function partOf(root: unknown, reference: string): unknown {
  if (reference === '#') return root
  if (!reference.startsWith('#/')) return undefined
  let part = root
  for (const step of reference.slice(2).split('/')) {
    if (typeof part !== 'object' || part === null) return undefined
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    part = Object.hasOwn(part, key) ? (part as Record<string, unknown>)[key] : undefined
  }
  return part
}

interface Unfolding {
  readonly root: unknown
  readonly sizes: Map<object, number>
  readonly open: Set<object>
  chain: number
}

/** How many values a part has when its references are replaced. A circle counts as one: nobody can unfold it. */
function sizeOf(value: unknown, unfolding: Unfolding): number {
  const { sizes, open } = unfolding
  if (typeof value !== 'object' || value === null || open.has(value)) return 1
  const known = sizes.get(value)
  if (known !== undefined) return known
  open.add(value)
  let size = 1
  for (const [key, member] of Object.entries(value)) {
    size += sizeOf(member, unfolding)
    if (key === '$ref' && typeof member === 'string') size += referredSize(member, unfolding)
    size = Math.min(size, maxUnfoldedValues + 1)
  }
  open.delete(value)
  sizes.set(value, size)
  return size
}

function referredSize(reference: string, unfolding: Unfolding): number {
  const part = partOf(unfolding.root, reference)
  if (typeof part !== 'object' || part === null) return 0
  if (unfolding.chain >= maxChain) return maxUnfoldedValues + 1
  unfolding.chain += 1
  const size = sizeOf(part, unfolding)
  unfolding.chain -= 1
  return size
}

/** What is wrong with the measure of a schema; undefined when it can be read at a bounded cost. */
export function schemaProblem(schema: unknown): string | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined
  const so: Measure = { values: 0, deepest: 0 }
  measure(schema, 1, so)
  if (so.deepest > maxSchemaDepth) return `a schema nests deeper than ${maxSchemaDepth} levels`
  if (so.values > maxSchemaValues) return `a schema has more than ${maxSchemaValues} values`
  const size = sizeOf(schema, { root: schema, sizes: new Map(), open: new Set(), chain: 0 })
  return size > maxUnfoldedValues
    ? `a schema unfolds to more than ${maxUnfoldedValues} values by its references`
    : undefined
}
