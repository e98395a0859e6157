/**
 * What stands between one person and a change of one role?
 * Stops: a change by `castellan role` where two persons change the policy; one that the kept tests speak against, or after
 * which nobody could change the policy again.
 * Trusts: the configuration.
 * Fails: refused, nothing changes.
 */
import { refuse } from '#kernel'
import type { RoleChecks } from '../roles/roles.ts'
import { lockOut } from '../lint/lock-out.ts'
import { readWorld } from '../lint/read-world.ts'
import { type CheckNeeds, refuseChecked } from './check.ts'
import type { ChangeNeeds } from './drafts.ts'
import { changeRefusals } from './refusals.ts'
import { runTests } from '../cases/run-tests.ts'

export function roleChecks(needs: Pick<ChangeNeeds, 'isFourEyes'> & CheckNeeds): RoleChecks {
  return {
    refuseAlone: () => (needs.isFourEyes() ? refuse(changeRefusals.secondPersonNeeded) : undefined),
    async refuseUnfit(rows, { contents, compiled, version }) {
      const decide = needs.decideBy(compiled, version)
      const world = await readWorld(rows, needs.networks())
      const matter = { rules: compiled.rules, source: contents, world, decide, nowMs: needs.clock.now() }
      // WHY: one role cannot mend what a file has had wrong before; lint as a whole is for drafts.
      const findings = lockOut(matter).filter(({ severity }) => severity === 'error')
      return refuseChecked({ findings, tests: runTests(contents.tests, decide) }, false)
    },
  }
}
