/**
 * May this principal do this to that?
 * Stops: everything no role grants, by name, on calls and lists alike; a decision that cannot say why.
 * Trusts: the loaded snapshot, which was verified against the roles; the roles of the principal.
 * Fails: no snapshot, an unreadable question, an error of the engine: denied, and the reason says so.
 */
import type { Principal } from '#kernel'
import { sayGranted, sayNotGranted, sayStepUp, type Asked } from './explain.ts'
import type { Question, Verdict } from './cedar/judge.ts'
import type { Permission } from './permissions.ts'
import { type Proven, readQuestion } from './question.ts'
import type { LoadedSnapshot } from './snapshot/load.ts'

export interface Reason {
  /** `role:<name>#<grant>` when allowed, with `!step-up` where that is missing; `not-granted`, `unreadable`, `no-snapshot` or `engine` when denied. */
  readonly rule: string
  /** One line; names from outside are cut and in backticks. */
  readonly says: string
}

export interface Decision {
  readonly isAllowed: boolean
  /** Never empty. */
  readonly reasons: readonly Reason[]
  /** The snapshot that was asked; 0 when there is none. */
  readonly snapshotVersion: number
  /** What would turn this denial into an allowance: a fresh factor of the person, for this one call. */
  readonly remedy?: 'step-up'
}

function deny(rule: string, says: string, snapshotVersion: number): Decision {
  return { isAllowed: false, reasons: [{ rule, says }], snapshotVersion }
}

/** INVARIANT: a remedy is told only where it helps: the same question, with the factor proved, would be allowed. */
function wouldStepUp(loaded: LoadedSnapshot, question: Question, { policyIds }: Verdict): boolean {
  if (policyIds.length === 0 || question.stepUp !== false) return false
  const proved = loaded.ask({ ...question, stepUp: true })
  return proved.isAllowed && proved.problem === undefined
}

function judgeNew(
  loaded: LoadedSnapshot,
  asked: ReturnType<typeof readQuestion> & { unreadable?: never },
  permission: Permission,
  target: Asked,
): Decision | 'not-granted' | { problem: string } {
  const verdict = loaded.ask(asked.question)
  if (verdict.problem !== undefined) return { problem: verdict.problem }
  if (!verdict.isAllowed && !wouldStepUp(loaded, asked.question, verdict)) return 'not-granted'
  const say = verdict.isAllowed ? sayGranted : sayStepUp
  const reasons = verdict.policyIds.map((rule) => {
    const grant = loaded.grants.get(rule)
    if (grant === undefined) throw new Error('an unknown policy')
    return Object.freeze({ rule, says: say(grant.role, grant.grantNumber, permission, target) })
  })
  const decision = { isAllowed: verdict.isAllowed, reasons: Object.freeze(reasons), snapshotVersion: loaded.version }
  return Object.freeze(verdict.isAllowed ? decision : { ...decision, remedy: 'step-up' as const })
}

/**
 * Makes `decide`: synchronous; about a microsecond when the question was asked before under this snapshot.
 * @param current the snapshot in force, or undefined when none could be loaded
 */
export function createDecide(current: () => LoadedSnapshot | undefined) {
  return function decide(principal: Principal, permission: Permission, target: Asked, proven?: Proven): Decision {
    const loaded = current()
    if (loaded === undefined) return deny('no-snapshot', 'no policy could be loaded, so everything is denied', 0)
    try {
      const asked = readQuestion(principal, permission, target, proven)
      if (asked.unreadable !== undefined) return deny('unreadable', asked.unreadable, loaded.version)
      const known = loaded.cache.get(asked.key)
      const found = known ?? judgeNew(loaded, asked, permission, target)
      if (found !== 'not-granted' && 'problem' in found) {
        return deny('engine', 'the policy could not be judged, so it is denied', loaded.version)
      }
      if (known === undefined) loaded.cache.set(asked.key, found)
      if (found !== 'not-granted') return found
      return deny('not-granted', sayNotGranted(principal, permission, target), loaded.version)
    } catch {
      return deny('engine', 'the policy could not be judged, so it is denied', loaded.version)
    }
  }
}
