/**
 * How does a list of guards become one answer? In order, each on what the ones before it learned.
 * Stops: a guard placed before its facts, a guard that overwrites a fact (neither compiles).
 * Trusts: each guard's own types.
 * Fails: a guard that throws, at once or later, has refused with `gateway.fault`.
 */
import { isRefusal, refuse, type Refusal } from '#kernel'
import { gatewayRefusals } from './refusals.ts'

type Answer<Learns> = Learns | Refusal | Promise<Learns | Refusal>

/** One question of the security checklist. */
export interface Guard<Needs extends object, Learns extends object> {
  /** Verb and object, as in the file name: `admit-origin`. */
  readonly name: string
  /** @returns what was learned (`{}` for nothing), or why the exchange ends here */
  check(known: Needs): Answer<Learns>
}

/** Shown by the compiler when a guard stands before the one that learns what it needs. */
export interface MisplacedGuard<Missing> {
  readonly guardNeedsFactsNotYetKnown: Missing
}

/** Shown by the compiler when a guard would learn a fact that is known already. */
export interface OverwritingGuard<Twice> {
  readonly guardWouldOverwriteFacts: Twice
}

type Fits<Known, Needs, Learns> = Known extends Needs
  ? [keyof Known & keyof Learns] extends [never]
    ? unknown
    : OverwritingGuard<keyof Known & keyof Learns>
  : MisplacedGuard<Exclude<keyof Needs, keyof Known>>

/** How far a list got: everything learned, or the refusal, who refused, and what was known by then. */
export type Outcome<Start extends object, Known extends object> =
  | { readonly isRefused: false; readonly known: Known }
  | {
      readonly isRefused: true
      readonly refusal: Refusal
      readonly guard: string
      readonly known: Start & Partial<Known>
    }

/** An ordered list of guards: from `Start` to `Known`, or a refusal on the way. */
export interface Checklist<Start extends object, Known extends object> {
  must<Needs extends object, Learns extends object>(
    guard: Guard<Needs, Learns> & Fits<Known, Needs, Learns>,
  ): Checklist<Start, Known & Learns>
  /** Runs the guards in order. Never rejects. */
  run(start: Start): Promise<Outcome<Start, Known>>
  /** The guards' names, in order. */
  readonly names: readonly string[]
}

/** What is known when a list has passed. */
export type KnownOf<List> = List extends Checklist<infer _Start, infer Known> ? Known : never

interface AnyGuard {
  readonly name: string
  check(known: object): Answer<object>
}

async function run(guards: readonly AnyGuard[], start: object): Promise<Outcome<object, object>> {
  const known = { ...start }
  for (const guard of guards) {
    try {
      const answer = guard.check(known)
      // WHY: most guards answer at once; awaiting only promises keeps a warm exchange on one turn of the loop.
      const learned = answer instanceof Promise ? await answer : answer
      if (isRefusal(learned)) return { isRefused: true, refusal: learned, guard: guard.name, known }
      Object.assign(known, learned)
    } catch (thrown) {
      const refusal = refuse(gatewayRefusals.fault, { detail: { cause: String(thrown) } })
      return { isRefused: true, refusal, guard: guard.name, known }
    }
  }
  return { isRefused: false, known }
}

function listOf<Start extends object, Known extends object>(guards: readonly AnyGuard[]): Checklist<Start, Known> {
  return {
    names: guards.map((guard) => guard.name),
    must: (guard) => listOf([...guards, guard]),
    run: (start) => run(guards, start) as Promise<Outcome<Start, Known>>,
  }
}

/** The empty checklist on what is known at the start. */
export function checklist<Start extends object>(): Checklist<Start, Start> {
  return listOf([])
}
