/**
 * May this principal do this to that?
 * Stops: everything no rule permits, by name, on calls and lists alike; a decision that cannot say why.
 * Trusts: the loaded snapshot, which was verified; the principal, for its roles and what else is told of it.
 * Fails: no snapshot, an unreadable question, a rule that cannot be reckoned: denied, and the reason says so.
 */
import { type Principal, unclassified } from '#kernel'
import type { CompiledRule } from './cedar/source.ts'
import type { Circumstances, Remedy } from './circumstances.ts'
import type { Judgement } from './evaluate/compile-rules.ts'
import { type Asked, placeOf, sayDepends, sayNotGranted, sayRule, show, type Subject } from './explain.ts'
import { type Shown, showInputs } from './inputs.ts'
import { type Answered, judgeQuestion } from './judge-question.ts'
import type { Permission } from './permissions.ts'
import { readQuestion } from './question.ts'
import type { Decided, Rejudging } from './rejudge/rejudge.ts'
import type { Surroundings } from './settings.ts'
import type { Shadow } from './shadows.ts'
import type { LoadedSnapshot } from './snapshot/load.ts'

export interface Reason {
  /** The id of a rule; `not-granted`, `unreadable`, `no-snapshot`, `distrusted` or `engine` where no rule decided. */
  readonly rule: string
  /** One line; names from outside are cut and in backticks. */
  readonly says: string
  /** Where a rule of a file stands: `payments.cedar:12`. */
  readonly place?: string
  /** What a rule of a file read when it denied. For the ledger: it may hold arguments. */
  readonly inputs?: Readonly<Record<string, Shown>>
  /** What whoever may use the server is told of it besides its name, perhaps nothing; undefined where not even that. */
  readonly told?: string
  /** It was denied because the rule read an argument that is something else than it reads. */
  readonly isConfused?: true
}

export interface Decision {
  readonly isAllowed: boolean
  /** Never empty. */
  readonly reasons: readonly Reason[]
  /** The snapshot that was asked; 0 when there is none. */
  readonly snapshotVersion: number
  /** What would, all of it together, turn this denial into an allowance; empty where nothing would. */
  readonly remedies: readonly Remedy[]
  /** Of a denial: whether something that was not told, such as the arguments in a listing, could make it an allowance. */
  readonly mayDepend: boolean
}

const none: readonly never[] = Object.freeze([])

function denyFor(reason: Reason, snapshotVersion: number): Decision {
  return { isAllowed: false, reasons: [reason], snapshotVersion, remedies: none, mayDepend: false }
}

function deny(rule: string, says: string, snapshotVersion: number): Decision {
  return denyFor({ rule, says }, snapshotVersion)
}

const broken = 'the policy could not be judged, so it is denied'

/** What was asked, and what answered. */
interface Asking {
  readonly loaded: LoadedSnapshot
  readonly answered: Answered
  readonly subject: Subject
}

function ruleIn({ rules }: LoadedSnapshot, id: string): CompiledRule {
  const rule = rules.get(id)
  if (rule === undefined) throw new Error('an unknown rule')
  return rule
}

/** INVARIANT: holds nothing of the question but its subject, so that a decision that is kept keeps no arguments. */
function sayLater(rule: CompiledRule, subject: Subject, isOpen: boolean): Pick<Reason, 'rule' | 'says'> {
  return {
    rule: rule.id,
    get says() {
      return isOpen ? sayDepends(rule) : sayRule(rule, subject)
    },
  }
}

/** WHY: few read the sentence and what was read, and those are made when they do. */
function reasonOf({ loaded, answered, subject }: Asking, rule: CompiledRule): Reason {
  const { id } = rule
  const isOpen = answered.outcome.judgement.outcome === 'depends'
  const said = sayLater(rule, subject, isOpen)
  if (rule.origin.kind === 'role') return said
  const place = placeOf(rule)
  if (rule.effect === 'permit') return Object.assign(said, { place })
  // WHY: where a remedy does not help, the rule is not what is wrong.
  const isTold = !rule.isQuiet && rule.remedy === undefined
  const reason = {
    place,
    ...(isTold ? { told: rule.says ?? '' } : {}),
    get inputs() {
      return showInputs(loaded.judged.inputsOf(id, answered.request))
    },
  }
  return Object.defineProperties(said, Object.getOwnPropertyDescriptors(reason))
}

/** INVARIANT: an error denies; what the rule stumbled over is told only where it is an argument, and names no value. */
function denyBroken({ loaded, answered }: Asking, { id, because, message }: Judgement['errors'][number]): Decision {
  const says = `rule ${show(id)} cannot be judged, so it is denied: ${message}`
  if (because !== 'confused') return deny('engine', says, loaded.version)
  const rule = ruleIn(loaded, id)
  const inputs = showInputs(loaded.judged.inputsOf(id, answered.request))
  const told = rule.isQuiet ? {} : { told: message }
  return denyFor({ rule: id, says, place: placeOf(rule), inputs, isConfused: true, ...told }, loaded.version)
}

/** INVARIANT: one for all, as a member of each: copies and comparisons of a decision have its reasons. */
const laterReasons = {
  enumerable: true,
  get(this: LazyDecision) {
    return this.readReasons()
  },
}

/**
 * A decision whose reasons are made when they are read. WHY: a list asks thousands of times, and reads the reasons of few;
 * a class, because an accessor made for each object takes several times as long.
 */
class LazyDecision implements Decision {
  readonly isAllowed: boolean
  readonly snapshotVersion: number
  readonly remedies: readonly Remedy[]
  readonly mayDepend: boolean
  declare readonly reasons: readonly Reason[]
  readonly #make: () => readonly Reason[]
  #made: readonly Reason[] | undefined

  constructor({ loaded, answered: { outcome } }: Asking, make: () => readonly Reason[]) {
    const said = outcome.judgement.outcome
    this.isAllowed = said === 'allow'
    this.snapshotVersion = loaded.version
    this.remedies = outcome.remedies
    this.mayDepend = said === 'depends'
    this.#make = make
    Object.defineProperty(this, 'reasons', laterReasons)
  }

  readReasons(): readonly Reason[] {
    return (this.#made ??= this.#make())
  }
}

function tell(asking: Asking, principal: Principal): Decision {
  const { judgement, rules } = asking.answered.outcome
  const error = judgement.errors[0]
  if (error !== undefined) return denyBroken(asking, error)
  return new LazyDecision(asking, () =>
    rules.length === 0
      ? [{ rule: 'not-granted', says: sayNotGranted(principal, asking.subject, asking.answered.unmet()) }]
      : rules.map((rule) => reasonOf(asking, rule)),
  )
}

/** What every decision of this process rests on. */
export interface Deciding {
  /** The snapshot in force, or undefined when none could be loaded. */
  readonly current: () => LoadedSnapshot | undefined
  readonly surroundings: () => Surroundings
  /** Wall-clock milliseconds since the epoch. */
  readonly now: () => number
  /** Judges decisions again; without it none are. */
  readonly rejudging?: Rejudging
}

const unspecified: Circumstances = Object.freeze({})

/** Everything that is asked, for whom. */
interface Put {
  readonly principal: Principal
  readonly permission: Permission
  readonly target: Asked
  readonly circumstances: Circumstances
}

/** Makes what judges a question by the rules that are judged aside; empty where there are none. Never throws. */
export function createShadowsOf({ current, surroundings, now }: Deciding) {
  return function shadowsOf({ principal, ...asked }: Put): readonly Shadow[] {
    const loaded = current()
    if (loaded?.judgeShadows === undefined) return none
    try {
      const question = readQuestion(principal, { ...asked, now: now() })
      if (question.unreadable !== undefined) return none
      const { outcome, request } = judgeQuestion(loaded, question, surroundings())
      return loaded.judgeShadows(request, outcome.judgement)
    } catch {
      return none
    }
  }
}

const doubted = 'the official engine disagreed with a decision of this snapshot, so everything is denied'

/** INVARIANT: under a distrusted snapshot only the admin plane goes on, where another one is published, and only confirmed. */
function isDoubtful(rejudging: Rejudging, decided: Decided): boolean {
  if (rejudging.isDistrusted(decided.loaded)) {
    return decided.question.thing !== 'AdminPlane' || !rejudging.confirms(decided)
  }
  rejudging.consider(decided)
  return false
}

/** Makes `decide`: synchronous; about a microsecond when the question was asked before under this snapshot. */
export function createDecide({ current, surroundings, now, rejudging }: Deciding) {
  return function decide(
    principal: Principal,
    permission: Permission,
    target: Asked,
    circumstances: Circumstances = unspecified,
  ): Decision {
    const loaded = current()
    if (loaded === undefined) return deny('no-snapshot', 'no policy could be loaded, so everything is denied', 0)
    try {
      const { effect } = circumstances.classification ?? unclassified
      const plain = { principal, permission, target, effect }
      const known = rejudging?.isDistrusted(loaded) === true ? undefined : loaded.plainAnswers.find(plain)
      if (known !== undefined) return known
      const question = readQuestion(principal, { permission, target, circumstances, now: now() })
      if (question.unreadable !== undefined) return deny('unreadable', question.unreadable, loaded.version)
      const around = surroundings()
      const answered = judgeQuestion(loaded, question, around)
      const decided = { loaded, question, surroundings: around, judgement: answered.outcome.judgement }
      if (rejudging !== undefined && isDoubtful(rejudging, decided)) return deny('distrusted', doubted, loaded.version)
      const decision = tell({ loaded, answered, subject: { permission, target } }, principal)
      return loaded.plainAnswers.keep(plain, decision, answered.reads)
    } catch {
      return deny('engine', broken, loaded.version)
    }
  }
}
