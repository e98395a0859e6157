/**
 * Which decimal does a text name?
 * Stops: a decimal that is read otherwise than Cedar reads it, or rounded.
 * Trusts: nothing.
 * Fails: a text that is none, or beyond 64 bits, is `unparsable`.
 * @see https://docs.cedarpolicy.com/policies/syntax-operators.html#decimal-operators
 */
import { long, wrong, type CedarDecimal, type Wrong } from './values.ts'

const form = /^(-?)([0-9]+)\.([0-9]{1,4})$/

/** Reads one to four digits behind the point, which has to be there. */
export function parseDecimal(text: string): CedarDecimal | Wrong {
  const [, sign, whole, fraction] = form.exec(text) ?? []
  if (whole === undefined || fraction === undefined) return wrong('unparsable', 'a text is no decimal')
  const units = BigInt(whole + fraction.padEnd(4, '0')) * (sign === '-' ? -1n : 1n)
  return typeof long(units) === 'object'
    ? wrong('unparsable', 'a decimal is beyond 64 bits')
    : { kind: 'decimal', units }
}
