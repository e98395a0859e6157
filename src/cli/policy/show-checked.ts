import { CliFailure } from '../failure.ts'
import type { Output } from '../terminal/output.ts'
import type { ChangedItem, Checked, Finding, TestResult } from './changes-api.ts'
import { diffLines } from './line-diff.ts'

const tones = { added: 'good', changed: 'warn', removed: 'bad' } as const

/** What differs, item by item; with `isWhole` line by line. */
export function showItems(output: Output, items: readonly ChangedItem[], isWhole: boolean): void {
  for (const { kind, name, change, before, after } of items) {
    output.line({ text: change.padEnd(8), tone: tones[change] }, `${kind} ${name}`)
    if (!isWhole) continue
    for (const { sign, text } of diffLines(before, after)) {
      const line = `  ${sign} ${text}`
      if (sign === ' ') output.line({ text: line, tone: 'dim' })
      else output.line({ text: line, tone: sign === '+' ? 'good' : 'bad' })
    }
  }
}

function showFinding(output: Output, { severity, code, file, line, column, rule, says, hint }: Finding): void {
  const place = file === null ? rule : `${file}:${line ?? 1}:${column ?? 1}`
  const about = file === null || rule === '' ? '' : ` (${rule})`
  output.line({ text: severity, tone: severity === 'error' ? 'bad' : 'warn' }, ` ${code} ${place}${about}`.trimEnd())
  output.line(`  ${says}`)
  if (hint !== '') output.line('  ', { text: 'hint', tone: 'dim' }, `: ${hint}`)
}

export function showFindings(output: Output, findings: readonly Finding[]): void {
  for (const one of findings) showFinding(output, one)
}

/** Failed tests with what came instead, then one line for all. */
export function showTests(output: Output, tests: readonly TestResult[]): void {
  const failed = tests.filter(({ hasPassed }) => !hasPassed)
  for (const { file, line, column, name, says } of failed) {
    output.line({ text: 'failed', tone: 'bad' }, ` ${file}:${line}:${column} ${name}`)
    output.line(`  ${says}`)
  }
  if (tests.length === 0) output.note('there are no tests; write some in `tests/*.yaml`')
  else output.line(`${tests.length - failed.length} of ${tests.length} tests passed`)
}

/** What would change, who loses what, what lint and tests say. */
export function showChecked(output: Output, checked: Checked, isWhole: boolean): void {
  showItems(output, checked.changes, isWhole)
  for (const { role, isRemoved, people } of checked.losses) {
    const who = people.length === 0 ? 'nobody has it' : `held by ${people.join(', ')}`
    output.line({ text: 'loses', tone: 'warn' }, ` role ${role} ${isRemoved ? 'is removed' : 'grants less'}: ${who}`)
  }
  showFindings(output, checked.findings)
  showTests(output, checked.tests)
}

/** @throws CliFailure (exit code 7) when this could not be published, and why */
export function refuseUnfit({ findings, tests }: Pick<Checked, 'findings' | 'tests'>, mayWarn: boolean): void {
  const errors = findings.filter(({ severity }) => severity === 'error').length
  if (errors > 0) {
    const message = `lint found ${errors} ${errors === 1 ? 'error' : 'errors'}`
    throw new CliFailure('conflict', 'policy.lint-failed', message, 'correct them, and run this again')
  }
  const failed = tests.filter(({ hasPassed }) => !hasPassed).length
  if (failed > 0) {
    const message = `${failed} of ${tests.length} tests failed`
    throw new CliFailure('conflict', 'policy.tests-failed', message, 'correct the policy, or the tests')
  }
  if (findings.length === 0 || mayWarn) return
  const message = `lint found ${findings.length} ${findings.length === 1 ? 'warning' : 'warnings'}`
  throw new CliFailure('conflict', 'policy.warnings-unaccepted', message, 'correct them, or add --accept-warnings')
}
