/**
 * What stands between one person and a change of one role?
 * Stops: a change by `castellan role` where two persons change the policy, or one that the kept tests speak against.
 * Trusts: the configuration.
 * Fails: refused, nothing changes.
 */
import { refuse } from '#kernel'
import type { RoleChecks } from '../roles/roles.ts'
import { refuseFailing } from './check.ts'
import type { ChangeNeeds } from './drafts.ts'
import { changeRefusals } from './refusals.ts'
import { runTests } from '../cases/run-tests.ts'

export function roleChecks(needs: Pick<ChangeNeeds, 'isFourEyes' | 'decideBy'>): RoleChecks {
  return {
    refuseAlone: () => (needs.isFourEyes() ? refuse(changeRefusals.secondPersonNeeded) : undefined),
    refuseFailing(tests, compiled, version) {
      if (tests.length === 0) return undefined
      return refuseFailing(runTests(tests, needs.decideBy(compiled, version)))
    },
  }
}
