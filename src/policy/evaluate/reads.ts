/**
 * What does an expression read of a request?
 * Stops: something that is read and that nobody lists: a remembered answer would stand although it changed.
 * Trusts: nothing.
 * Fails: what is read in a way that is not understood counts with all that comes of it.
 */
import { setOf } from './canonical.ts'
import { chainOf, compileExpression, operatorOf, type Evaluate } from './compile-expression.ts'
import { isSet } from './operators.ts'
import type { CedarRequest, EntityUid, Result } from './values.ts'

/** One thing that is read. */
export interface Read {
  /** Equal where the same is read, and only there. */
  readonly id: string
  /** As a person would write it, e.g. `context.texts["to"]` or `principal in Castellan::Role::"x"`. */
  readonly says: string
  readonly value: Evaluate
  /** What all of the same path is read from; many reads of one path are one read of this. */
  readonly whole?: Read
}

const plainName = /^[A-Za-z_][A-Za-z0-9_]*$/

function member(holder: string, name: string): string {
  return plainName.test(name) ? `${holder}.${name}` : `${holder}[${JSON.stringify(name)}]`
}

/** How a person would write a place in a request; undefined for what is none. */
function placeOf(expression: unknown): string | undefined {
  const [name, given] = operatorOf(expression)
  if (name === 'Var') return String(given['given'])
  if (name !== '.' && name !== 'getTag') return undefined
  const holder = placeOf(given['left'])
  if (holder === undefined) return undefined
  if (name === '.') return member(holder, String(given['attr']))
  const key = literalOf(given['right'])
  return typeof key === 'string' ? `${holder}[${JSON.stringify(key)}]` : undefined
}

function literalOf(expression: unknown): unknown {
  const [name] = operatorOf(expression)
  return name === 'Value' ? (expression as { Value: unknown }).Value : undefined
}

function isEntity(value: Result): value is EntityUid {
  return typeof value === 'object' && value.kind === 'entity'
}

const nowhere: CedarRequest = {
  principal: { kind: 'entity', type: '', id: '' },
  action: { kind: 'entity', type: '', id: '' },
  resource: { kind: 'entity', type: '', id: '' },
  context: { kind: 'record', get: () => undefined, names: () => [] },
  entity: () => undefined,
}

/** What an expression comes to that reads nothing of a request; undefined for one that does. */
export function constantOf(expression: unknown): Result | undefined {
  return readsOf(expression).length === 0 ? compileExpression(expression)(nowhere) : undefined
}

function wholeOf(place: string | undefined, expression: unknown): Read {
  const id = place ?? JSON.stringify(expression)
  return { id, says: place ?? 'a computed value', value: compileExpression(expression) }
}

/** All that an entity belongs to, and itself. */
function ancestryOf(place: string | undefined, expression: unknown): Read {
  const run = compileExpression(expression)
  return {
    id: `ancestors of ${place ?? JSON.stringify(expression)}`,
    says: `${place ?? 'a computed entity'} in ...`,
    value(request) {
      const found = run(request)
      if (!isEntity(found)) return found
      return setOf([found, ...(request.entity(found)?.ancestors ?? [])])
    },
  }
}

function sayConstant(value: Result): string {
  if (isEntity(value)) return `${value.type}::${JSON.stringify(value.id)}`
  return isSet(value) ? `[${Array.from(value.values(), sayConstant).join(', ')}]` : '...'
}

function readsOfMembership(left: unknown, right: unknown): Read[] {
  const place = placeOf(left)
  const ancestry = ancestryOf(place, left)
  const groups = constantOf(right)
  if (groups === undefined) return [...readsOf(left), ...readsOf(right), ancestry]
  if (place === undefined) return [...readsOf(left), ancestry]
  const expression = { in: { left, right } }
  const says = `${place} in ${sayConstant(groups)}`
  return [{ id: JSON.stringify(expression), says, value: compileExpression(expression), whole: ancestry }]
}

/** WHY: the answer counts and not what it was made from, such as a moment that is never the same twice. */
function readsOfTest(expression: unknown, operands: readonly unknown[]): Read[] {
  const reads = operands.map(readsOf)
  const readers = operands.filter((_, index) => reads[index]?.length !== 0)
  const place = readers.length === 1 ? placeOf(readers[0]) : undefined
  if (place === undefined) return reads.flat()
  const whole = wholeOf(place, readers[0])
  return [{ id: JSON.stringify(expression), says: place, value: compileExpression(expression), whole }]
}

function readOfPresence(expression: unknown, place: string | undefined): Read {
  return { ...wholeOf(undefined, expression), ...(place === undefined ? {} : { says: place }) }
}

function readsOfHas({ left, attr }: Record<string, unknown>, expression: unknown): Read {
  const holder = placeOf(left)
  const path = [attr].flat().map(String)
  return readOfPresence(expression, holder === undefined ? undefined : path.reduce(member, holder))
}

function readsOfHasTag({ left, right }: Record<string, unknown>, expression: unknown): Read {
  return readOfPresence(expression, placeOf({ getTag: { left, right } }))
}

/** Everything that an expression reads of a request, also where it is not reached in one. */
export function readsOf(expression: unknown): Read[] {
  const [name, given] = operatorOf(expression)
  switch (name) {
    case 'Value':
      return []
    case 'Var':
    case '.':
    case 'getTag':
      return [wholeOf(placeOf(expression), expression)]
    case 'has':
      return [readsOfHas(given, expression)]
    case 'hasTag':
      return [readsOfHasTag(given, expression)]
    case 'in':
      return readsOfMembership(given['left'], given['right'])
    case '&&':
    case '||':
      return chainOf(name, expression).flatMap(readsOf)
    case 'if-then-else':
    case 'Record':
    case '!':
      return Object.values(given).flatMap(readsOf)
    case 'is': {
      const type = readsOfTest({ is: { left: given['left'], entity_type: given['entity_type'] } }, [given['left']])
      const isAlone = given['in'] === undefined || given['in'] === null
      return isAlone ? type : [...type, ...readsOfMembership(given['left'], given['in'])]
    }
    case 'like':
      return readsOfTest(expression, [given['left']])
    default:
      return readsOfTest(expression, Object.values(given))
  }
}
