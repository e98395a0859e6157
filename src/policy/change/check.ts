/**
 * What do lint and tests say of these contents?
 * Stops: a judgement of other contents than those that are published: it is asked again in the transaction that does.
 * Trusts: the compiler and the decision that calls get.
 * Fails: contents that do not compile have findings that are errors, and no test has passed.
 */
import { refuse, type Clock, type Refusal } from '#kernel'
import { compileAside } from '../cedar/aside/compile-aside.ts'
import type { CompiledPolicy } from '../cedar/source.ts'
import type { Policy } from '../policy.ts'
import type { PolicyContents } from '../snapshot/document.ts'
import type { Rows } from '../snapshot/store.ts'
import type { Checks } from './draft.ts'
import { writeContents } from './draft-store.ts'
import { lint } from '../lint/lint.ts'
import { readWorld } from '../lint/read-world.ts'
import { changeRefusals } from './refusals.ts'
import { runTests } from '../cases/run-tests.ts'

/** Makes the decision that calls would get if this were in force. */
export type DecideBy = (compiled: CompiledPolicy, version: number) => Policy['decide']

export interface CheckNeeds {
  readonly clock: Clock
  readonly decideBy: DecideBy
  /** Names of networks that rules may speak of. */
  networks(): readonly string[]
}

/** Judges contents as the snapshot of this version. */
export async function checkContents(
  rows: Rows,
  needs: CheckNeeds,
  asked: { readonly contents: PolicyContents; readonly version: number },
): Promise<Checks> {
  const { contents, version } = asked
  const judged = writeContents(contents).hash
  const compilation = await compileAside(contents, version)
  if (!compilation.isValid) {
    const findings = compilation.problems.map(({ says, rule = '', ...place }) => ({
      ...place,
      code: 'lint.invalid',
      severity: 'error' as const,
      rule,
      says,
      hint: 'correct the rule; `castellan policy schema` prints what rules can speak of',
    }))
    return { judged, findings, tests: [] }
  }
  const { rules } = compilation.policy
  const idle = compilation.warnings.map(({ says, rule = '', ...place }) => ({
    ...place,
    code: 'lint.never-applies',
    // WHY: a forbid that never applies lets everything pass that it was written against.
    severity: 'error' as const,
    rule,
    says,
    hint: 'correct the rule, or take it out',
  }))
  const world = await readWorld(rows, needs.networks())
  const decide = needs.decideBy(compilation.policy, version)
  const findings = lint({ rules, source: contents, world, decide, nowMs: needs.clock.now() })
  return { judged, findings: [...idle, ...findings], tests: runTests(contents.tests, decide) }
}

/** A refusal when one of the tests fails. */
function refuseFailing(tests: Checks['tests']): Refusal | undefined {
  const failed = tests.filter((test) => !test.hasPassed)
  const [first] = failed
  if (first === undefined) return undefined
  const shown = failed.slice(0, 20).map(({ file, line, name, says }) => ({ file, line, name, says }))
  return refuse(changeRefusals.testsFailed, {
    names: { test: `${first.file}:${first.line} ${first.name}: ${first.says}` },
    detail: { failed: shown },
  })
}

/** A refusal when something keeps these contents from being published. */
export function refuseChecked(checks: Pick<Checks, 'findings' | 'tests'>, mayWarn: boolean): Refusal | undefined {
  const say = ({ file, line, rule, says }: Checks['findings'][number]) =>
    `${file === undefined ? rule : `${file}:${line ?? 1}`} ${says}`.trim()
  const [error] = checks.findings.filter(({ severity }) => severity === 'error')
  if (error !== undefined) return refuse(changeRefusals.lintFailed, { names: { problem: say(error) } })
  const failing = refuseFailing(checks.tests)
  if (failing !== undefined) return failing
  const [warning] = checks.findings
  if (warning === undefined || mayWarn) return undefined
  return refuse(changeRefusals.warningsUnaccepted, { names: { problem: say(warning) } })
}
