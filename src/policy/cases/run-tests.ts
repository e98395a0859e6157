/**
 * Does a policy answer as its tests say?
 * Stops: a change that allows or denies what its authors wrote down otherwise.
 * Trusts: the decision that calls get, which is asked here too.
 * Fails: a test file that cannot be read is a failed test.
 */
import type { PolicyFile } from '../cedar/source.ts'
import type { Policy } from '../policy.ts'
import type { Decision } from '../decide.ts'
import { readCases, type PolicyCase } from './read-tests.ts'

export interface TestResult {
  readonly name: string
  readonly file: string
  readonly line: number
  readonly column: number
  readonly hasPassed: boolean
  /** What came instead; empty when it passed. */
  readonly says: string
}

function answerOf(decision: Decision): string {
  const rules = decision.reasons.map(({ rule }) => rule).join(', ')
  if (decision.isAllowed) return `it is allowed by ${rules}`
  const remedies = decision.remedies.map(({ kind }) => kind).join(', ')
  return `it is denied by ${rules}${remedies === '' ? '' : `, with ${remedies}`}`
}

function isAsExpected(one: PolicyCase, decision: Decision): boolean {
  if (one.rule !== undefined && !decision.reasons.some(({ rule }) => rule === one.rule)) return false
  if (one.expect === 'allow') return decision.isAllowed
  if (decision.isAllowed) return false
  const offered = decision.remedies.map(({ kind }) => kind as string)
  if (one.expect === 'deny') return offered.length === 0
  return one.remedies.every((kind) => offered.includes(kind))
}

function wanted({ expect, remedies, rule }: PolicyCase): string {
  const word = {
    allow: 'to be allowed',
    deny: 'to be denied without a remedy',
    remedy: `the remedy ${remedies.join(', ')}`,
  }
  return `expected ${word[expect]}${rule === undefined ? '' : ` by ${rule}`}`
}

function run(one: PolicyCase, decide: Policy['decide']): TestResult {
  const { name, file, line, column } = one
  const decision = decide(one.principal, one.permission, one.target, one.circumstances)
  const hasPassed = isAsExpected(one, decision)
  return { name, file, line, column, hasPassed, says: hasPassed ? '' : `${wanted(one)}, but ${answerOf(decision)}` }
}

/** Every case of these files, in order. */
export function runTests(files: readonly PolicyFile[], decide: Policy['decide']): TestResult[] {
  return files.flatMap((file) => {
    const read = readCases(file)
    if (read.problems === undefined) return read.cases.map((one) => run(one, decide))
    return read.problems.map((problem) => ({
      name: 'the file can be read',
      file: problem.file ?? file.name,
      line: problem.line ?? 1,
      column: problem.column ?? 1,
      hasPassed: false,
      says: problem.says,
    }))
  })
}
