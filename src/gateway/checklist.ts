/**
 * How does a list of guards become one answer? In order, each on what the ones before it learned.
 * Stops: a guard placed before its facts, a guard that overwrites a fact (neither compiles).
 * Trusts: each guard's own types.
 * Fails: a guard that throws, at once or later, has refused with `gateway.fault`.
 */
import { isRefusal, type Refusal } from '#kernel'
import { brokenRefusal } from './upstream-refusal.ts'

/** A value, or a promise of it when it has to be waited for. */
export type AtOnceOrLater<T> = T | Promise<T>

type Answer<Learns> = AtOnceOrLater<Learns | Refusal>

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

interface AnyGuard {
  readonly name: string
  check(known: object): Answer<object>
}

const guardsOf = Symbol('guards')

type Fits<Known, Needs, Learns> = Known extends Needs
  ? [keyof Known & keyof Learns] extends [never]
    ? unknown
    : OverwritingGuard<keyof Known & keyof Learns>
  : MisplacedGuard<Exclude<keyof Needs, keyof Known>>

/**
 * How far a list got: everything learned, or the refusal, who refused, and what was known by then; what was not is
 * undefined.
 */
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
  /** Adds all guards of a list that starts with what is known here. */
  mustAll<Needs extends object, Learns extends object>(
    list: Checklist<Needs, Learns> & Fits<Known, Needs, Omit<Learns, keyof Needs>>,
  ): Checklist<Start, Known & Learns>
  /** Runs the guards in order; at once when all of them answer at once. Never throws or rejects. */
  run(start: Start): AtOnceOrLater<Outcome<Start, Known>>
  /** The guards' names, in order. */
  readonly names: readonly string[]
  readonly [guardsOf]: readonly AnyGuard[]
}

/** What is known when a list has passed. */
export type KnownOf<List> = List extends Checklist<infer _Start, infer Known> ? Known : never

function faulted(guard: AnyGuard, known: object, thrown: unknown): Outcome<object, object> {
  return { isRefused: true, refusal: brokenRefusal(thrown), guard: guard.name, known }
}

/** What a guard answered, taken in. @returns the end of the list when it refused */
function learn(guard: AnyGuard, known: object, learned: object): Outcome<object, object> | undefined {
  if (isRefusal(learned)) return { isRefused: true, refusal: learned, guard: guard.name, known }
  Object.assign(known, learned)
  return undefined
}

function run(guards: readonly AnyGuard[], known: object): AtOnceOrLater<Outcome<object, object>> {
  for (let at = 0; at < guards.length; at += 1) {
    const guard = guards[at] as AnyGuard
    try {
      const answer = guard.check(known)
      // WHY: most guards answer at once; waiting for promises only keeps a warm exchange on one turn of the loop.
      if (answer instanceof Promise) return goOn(guards, known, at, answer)
      const refused = learn(guard, known, answer)
      if (refused !== undefined) return refused
    } catch (thrown) {
      return faulted(guard, known, thrown)
    }
  }
  return { isRefused: false, known }
}

/** The rest of a list, from a guard on that answers later: one wait after the other in one function. */
async function goOn(
  guards: readonly AnyGuard[],
  known: object,
  from: number,
  first: Promise<object>,
): Promise<Outcome<object, object>> {
  let answer: Answer<object> = first
  for (let at = from; at < guards.length; at += 1) {
    const guard = guards[at] as AnyGuard
    try {
      if (at > from) answer = guard.check(known)
      const refused = learn(guard, known, answer instanceof Promise ? await answer : answer)
      if (refused !== undefined) return refused
    } catch (thrown) {
      return faulted(guard, known, thrown)
    }
  }
  return { isRefused: false, known }
}

/** Facts that nobody has learned yet, by their names. */
function blankOf(known: object): object {
  return Object.fromEntries(Object.keys(known).map((name) => [name, undefined]))
}

function listOf<Start extends object, Known extends object>(guards: readonly AnyGuard[]): Checklist<Start, Known> {
  let blank: object | undefined
  const learnBlank = (outcome: Outcome<object, object>): Outcome<object, object> => {
    if (!outcome.isRefused) blank ??= blankOf(outcome.known)
    return outcome
  }
  const begin = (start: Start): AtOnceOrLater<Outcome<object, object>> => {
    // WHY: an object to which one fact after the other is added ends as a dictionary, slow to read for all that follows.
    if (blank !== undefined) return run(guards, { ...blank, ...start })
    const outcome = run(guards, { ...start })
    return outcome instanceof Promise ? outcome.then(learnBlank) : learnBlank(outcome)
  }
  return {
    names: guards.map((guard) => guard.name),
    [guardsOf]: guards,
    must: (guard) => listOf([...guards, guard]),
    mustAll: (list) => listOf([...guards, ...list[guardsOf]]),
    run: (start) => begin(start) as AtOnceOrLater<Outcome<Start, Known>>,
  }
}

/** The empty checklist on what is known at the start. */
export function checklist<Start extends object>(): Checklist<Start, Start> {
  return listOf([])
}
