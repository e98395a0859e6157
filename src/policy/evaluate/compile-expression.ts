/**
 * What does an expression of a rule come to?
 * Stops: an operand that is asked for although Cedar would not reach it, and the reverse.
 * Trusts: nothing: an expression of no known form is not compiled.
 * Fails: an operator that is not known is a Fault; what goes wrong in a request is a `Wrong` result.
 * @see https://docs.cedarpolicy.com/policies/json-format.html
 */
import { Fault } from '#kernel'
import { andOf, eitherOf, notOf, orOf } from './certainty.ts'
import { binaryFunctions, unaryFunctions } from './functions.ts'
import { like } from './like.ts'
import { readValue } from './literals.ts'
import { hasMember, hasTag, isIn, isOfType, memberOf, tagOf } from './members.ts'
import { binaries, recordLiteral, setLiteral, unaries } from './operators.ts'
import { neverFalse, neverTrue, type CedarRequest, type Result } from './values.ts'

export type Evaluate = (request: CedarRequest) => Result

interface Compiled {
  readonly run: Evaluate
  /** Of what is the same for all requests. */
  readonly constant?: Result
}

const unreadable = (says: string) => new Fault('policy.unreadable', says)

/** The operator of an expression, and what it is given. @throws Fault `policy.unreadable` */
export function operatorOf(expression: unknown): readonly [name: string, given: Record<string, unknown>] {
  if (typeof expression !== 'object' || expression === null) throw unreadable('an expression is of no known form')
  const [entry, ...more] = Object.entries(expression)
  if (entry === undefined || more.length > 0) throw unreadable('an expression has not exactly one operator')
  const [name, given] = entry as [string, unknown]
  return [name, (typeof given === 'object' && given !== null ? given : { given }) as Record<string, unknown>]
}

function isSpoiled(result: Result): boolean {
  return typeof result === 'object' && result.kind === 'wrong'
}

/** All of them are true, asked in order. */
export function allOf(parts: readonly Evaluate[]): Evaluate {
  return (request) => {
    let sofar: Result = true
    for (const part of parts) {
      const result = part(request)
      if (sofar === true) {
        if (result === true) continue
        if (result === false) return false
      }
      sofar = andOf(sofar, result)
      if (sofar === neverTrue || isSpoiled(sofar)) return sofar
    }
    return sofar
  }
}

function anyOf(parts: readonly Evaluate[]): Evaluate {
  return (request) => {
    let sofar: Result = false
    for (const part of parts) {
      const result = part(request)
      if (sofar === false) {
        if (result === false) continue
        if (result === true) return true
      }
      sofar = orOf(sofar, result)
      if (sofar === neverFalse || isSpoiled(sofar)) return sofar
    }
    return sofar
  }
}

/** The operands of a chain of one operator, in order. WHY: a chain of thousands would exhaust the stack. */
export function chainOf(operator: string, expression: unknown): unknown[] {
  const found: unknown[] = []
  const waiting: unknown[] = [expression]
  while (waiting.length > 0) {
    const one = waiting.pop()
    const [name, given] = operatorOf(one)
    if (name === operator) waiting.push(given['right'], given['left'])
    else found.push(one)
  }
  return found
}

function variable(given: Record<string, unknown>): Compiled {
  switch (given['given']) {
    case 'principal':
      return { run: (request) => request.principal }
    case 'action':
      return { run: (request) => request.action }
    case 'resource':
      return { run: (request) => request.resource }
    case 'context':
      return { run: (request) => request.context }
    default:
      throw unreadable('an expression has a variable that is not known')
  }
}

function fixed(constant: Result): Compiled {
  return { run: () => constant, constant }
}

/** What needs nothing besides its operands; reckoned once where they are the same for all requests. */
function pure(operands: readonly Compiled[], apply: (operands: readonly Result[]) => Result): Compiled {
  const constants = operands.flatMap(({ constant }) => (constant === undefined ? [] : [constant]))
  if (constants.length === operands.length) return fixed(apply(constants))
  return { run: (request) => apply(operands.map(({ run }) => run(request))) }
}

function pureOfOne(operand: Compiled, apply: (arg: Result) => Result): Compiled {
  if (operand.constant !== undefined) return fixed(apply(operand.constant))
  return { run: (request) => apply(operand.run(request)) }
}

function pureOfTwo(
  [left, right]: readonly [Compiled, Compiled],
  apply: (left: Result, right: Result) => Result,
): Compiled {
  const { constant } = right
  if (constant === undefined) return { run: (request) => apply(left.run(request), right.run(request)) }
  if (left.constant !== undefined) return fixed(apply(left.constant, constant))
  return { run: (request) => apply(left.run(request), constant) }
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw unreadable('a name in an expression is no text')
  return value
}

function pathOf(attribute: unknown): readonly string[] {
  const path = Array.isArray(attribute) ? attribute.map(textOf) : [textOf(attribute)]
  if (path.length === 0) throw unreadable('an expression asks for no attribute')
  return path
}

type Given = Record<string, unknown>

function compileIs({ left, entity_type: type, in: group }: Given): Compiled {
  const name = textOf(type)
  const operand = compile(left)
  const ofType = pureOfOne(operand, (result) => isOfType(result, name))
  if (group === undefined || group === null) return ofType
  const groups = compile(group)
  return { run: allOf([ofType.run, (request) => isIn(request, operand.run(request), groups.run(request))]) }
}

function compileIf({ if: asked, then: yes, else: no }: Given): Compiled {
  const [condition, first, second] = [compile(asked).run, compile(yes).run, compile(no).run]
  return {
    run(request) {
      const answer = condition(request)
      if (answer === true) return first(request)
      if (answer === false) return second(request)
      return eitherOf(answer, { yes: () => first(request), no: () => second(request) })
    },
  }
}

function compileRecord(given: Given): Compiled {
  const names = Object.keys(given)
  return pure(Object.values(given).map(compile), (members) => recordLiteral(names, members))
}

const special: ReadonlyMap<string, (given: Given, expression: unknown) => Compiled> = new Map([
  ['Value', (_given: Given, expression: unknown) => fixed(readValue((expression as { Value: unknown }).Value))],
  ['Var', variable],
  [
    '&&',
    (_given: Given, expression: unknown) => ({ run: allOf(chainOf('&&', expression).map((one) => compile(one).run)) }),
  ],
  [
    '||',
    (_given: Given, expression: unknown) => ({ run: anyOf(chainOf('||', expression).map((one) => compile(one).run)) }),
  ],
  ['!', ({ arg }: Given) => pureOfOne(compile(arg), notOf)],
  ['if-then-else', compileIf],
  ['is', compileIs],
  ['like', ({ left, pattern }: Given) => pureOfOne(compile(left), like(pattern))],
  ['Set', (given: Given) => pure(Object.values(given).map(compile), setLiteral)],
  ['Record', compileRecord],
  [
    '.',
    ({ left, attr }: Given) => {
      const [holder, name] = [compile(left).run, textOf(attr)]
      return { run: (request: CedarRequest) => memberOf(request, holder(request), name) }
    },
  ],
  [
    'has',
    ({ left, attr }: Given) => {
      const [holder, path] = [compile(left).run, pathOf(attr)]
      return { run: (request: CedarRequest) => hasMember(request, holder(request), path) }
    },
  ],
  ...(
    [
      ['in', isIn],
      ['hasTag', hasTag],
      ['getTag', tagOf],
    ] as const
  ).map(
    ([name, ask]) =>
      [
        name,
        ({ left, right }: Given) => {
          const [first, second] = [compile(left).run, compile(right).run]
          return { run: (request: CedarRequest) => ask(request, first(request), second(request)) }
        },
      ] as const,
  ),
])

function compileCall(name: string, given: Given): Compiled {
  const [first, second, ...more] = Object.values(given).map(compile)
  const [unary, binary] = [unaryFunctions.get(name), binaryFunctions.get(name)]
  if (unary !== undefined && first !== undefined && second === undefined) return pureOfOne(first, unary)
  if (binary !== undefined && first !== undefined && second !== undefined && more.length === 0) {
    return pureOfTwo([first, second], binary)
  }
  throw unreadable('an expression has an operator that is not known')
}

function compile(expression: unknown): Compiled {
  const [name, given] = operatorOf(expression)
  const own = special.get(name)
  if (own !== undefined) return own(given, expression)
  const binary = binaries.get(name)
  if (binary !== undefined) return pureOfTwo([compile(given['left']), compile(given['right'])], binary)
  const unary = unaries.get(name)
  if (unary !== undefined) return pureOfOne(compile(given['arg']), unary)
  return compileCall(name, given)
}

/** Compiles one expression of Cedar's JSON form. @throws Fault `policy.unreadable` where it is of no known form */
export function compileExpression(expression: unknown): Evaluate {
  return compile(expression).run
}
