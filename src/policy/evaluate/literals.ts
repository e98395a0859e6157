/**
 * Which value stands in a rule?
 * Stops: a number that lost digits on its way; an escape that is read as a record.
 * Trusts: nothing.
 * Fails: a value of no known form is a Fault.
 * @see https://docs.cedarpolicy.com/policies/json-format.html
 */
import { Fault } from '#kernel'
import { binaryFunctions, unaryFunctions } from './functions.ts'
import { recordLiteral, setLiteral } from './operators.ts'
import { uid, type EntityUid, type Result } from './values.ts'

const unreadable = (says: string) => new Fault('policy.unreadable', says)

export function readUid(json: unknown): EntityUid {
  const { __entity: inner = json } = (json ?? {}) as { __entity?: unknown }
  const { type, id } = (inner ?? {}) as { type?: unknown; id?: unknown }
  if (typeof type !== 'string' || typeof id !== 'string') throw unreadable('an entity has no readable name')
  return uid(type, id)
}

function readExtension(json: unknown): Result {
  const { fn, arg, args = [arg] } = (json ?? {}) as { fn?: unknown; arg?: unknown; args?: unknown }
  if (typeof fn !== 'string' || !Array.isArray(args)) throw unreadable('a value of an extension type is unreadable')
  const [first, second] = args.map(readValue)
  const [unary, binary] = [unaryFunctions.get(fn), binaryFunctions.get(fn)]
  if (unary !== undefined && args.length === 1 && first !== undefined) return unary(first)
  if (binary !== undefined && args.length === 2 && first !== undefined && second !== undefined) {
    return binary(first, second)
  }
  throw unreadable('a value is made by a function that is not known')
}

/** Reads Cedar's JSON form of a value; an address or a time that cannot be read is a wrong value, as in Cedar. */
export function readValue(json: unknown): Result {
  if (typeof json === 'string' || typeof json === 'boolean') return json
  if (typeof json === 'number') {
    // INVARIANT: a number beyond this may stand for another one that was written.
    if (!Number.isSafeInteger(json)) throw unreadable('a number in a rule is beyond 2^53')
    return json === 0 ? 0 : json
  }
  if (Array.isArray(json)) return setLiteral(json.map(readValue))
  if (typeof json !== 'object' || json === null) throw unreadable('a value is of no known form')
  if (Object.hasOwn(json, '__entity')) return readUid(json)
  if (Object.hasOwn(json, '__extn')) return readExtension((json as { __extn: unknown }).__extn)
  const members = Object.entries(json)
  return recordLiteral(
    members.map(([name]) => name),
    members.map(([, value]) => readValue(value)),
  )
}
