import { expect, test } from 'vitest'
import type { Decision } from '../decide.ts'
import { maxCasesPerFile, readCases } from './read-tests.ts'
import { runTests } from './run-tests.ts'

const base = { snapshotVersion: 1, remedies: [], mayDepend: false }
const allowed: Decision = { ...base, isAllowed: true, reasons: [{ rule: 'role:a#1', says: '' }] }
const denied: Decision = { ...base, isAllowed: false, reasons: [{ rule: 'not-granted', says: '' }] }
const mendable: Decision = {
  ...base,
  isAllowed: false,
  reasons: [{ rule: 'a.cedar#r', says: '' }],
  remedies: [
    { rule: 'a.cedar#r', kind: 'approval' },
    { rule: 'a.cedar#s', kind: 'step-up' },
  ],
}

function textOf(expectation: string, more = ''): string {
  return `cases:\n  - name: one\n    principal: { roles: [a] }\n    permission: tools:call\n    target: bank/tools/pay\n    expect: ${expectation}\n${more}`
}

function outcome(decision: Decision, expectation: string, more = ''): string {
  const [result] = runTests([{ name: 'a.yaml', text: textOf(expectation, more) }], () => decision)
  return result?.hasPassed === true ? 'passed' : (result?.says ?? '')
}

test('a case passes where the answer, the remedies and the rule are as it says', () => {
  expect(outcome(allowed, 'allow')).toBe('passed')
  expect(outcome(denied, 'deny')).toBe('passed')
  expect(outcome(mendable, '{ remedy: approval }')).toBe('passed')
  expect(outcome(mendable, '{ remedy: [approval, step-up] }')).toBe('passed')
  expect(outcome(allowed, 'allow', '    rule: role:a#1\n')).toBe('passed')
})

test('a case that does not pass says what came instead', () => {
  expect(outcome(denied, 'allow')).toBe('expected to be allowed, but it is denied by not-granted')
  expect(outcome(allowed, 'deny')).toContain('it is allowed by role:a#1')
  expect(outcome(mendable, 'deny')).toContain('it is denied by a.cedar#r, with approval, step-up')
  expect(outcome(mendable, '{ remedy: consent }')).toContain('expected the remedy consent')
  expect(outcome(denied, '{ remedy: approval }')).toContain('it is denied by not-granted')
  expect(outcome(allowed, 'allow', '    rule: other\n')).toContain('expected to be allowed by other')
})

test('a case tells who asks for what, in which circumstances', () => {
  const more =
    '    arguments: { cents: 5 }\n' +
    '    classification: { effect: write, sensitivity: internal }\n' +
    '    circumstances: { at: "2026-11-02T08:00:00+01:00", address: 10.0.0.1, flow: [restricted], met: [r] }\n'
  const text = textOf('allow', more).replace(
    '{ roles: [a] }',
    '{ name: ana, kind: service-account, roles: [b, a], groups: [finance], claims: { dept: [x] }, factors: [passkey], client: { id: c } }',
  )
  const read = readCases({ name: 'a.yaml', text })
  expect(read.cases?.[0]).toMatchObject({
    principal: { name: 'ana', isService: true, roles: ['a', 'b'], factors: ['passkey'], client: { id: 'c' } },
    permission: 'tools:call',
    target: { upstream: 'bank', kind: 'tool', name: 'pay' },
    circumstances: {
      at: Date.parse('2026-11-02T07:00:00Z'),
      address: '10.0.0.1',
      callArguments: { cents: 5 },
      classification: { effect: 'write', sensitivity: 'internal', isOutlet: true },
      flow: new Set(['restricted']),
      met: new Set(['r']),
    },
    expect: 'allow',
  })
})

test.each([
  ['    principle: {}\n', 'tests/a.yaml:7:5', '`principle` is not a key here'],
  ['    circumstances: { when: 1 }\n', 'tests/a.yaml:7:22', '`when` is not a key here'],
])('what means nothing is told with its place: %s', (more, place, says) => {
  const [result] = runTests([{ name: 'a.yaml', text: textOf('allow', more) }], () => allowed)
  expect(`${result?.file}:${result?.line}:${result?.column}`).toBe(place)
  expect(result).toMatchObject({ hasPassed: false, says })
})

test('a target that the permission is not asked about, a pattern and an unknown permission are problems', () => {
  for (const [from, to] of [
    ['bank/tools/pay', 'bank'],
    ['bank/tools/pay', 'bank/tools/*'],
    ['bank/tools/pay', 'castellan'],
    ['tools:call', 'tools:drop'],
  ] as const) {
    expect(readCases({ name: 'a.yaml', text: textOf('allow').replace(from, to) }).problems, to).toHaveLength(1)
  }
})

test('so many cases are in a file, and no more', () => {
  const many = (count: number) => `cases:\n${textOf('allow').replace('cases:\n', '').repeat(count)}`
  expect(readCases({ name: 'a.yaml', text: many(maxCasesPerFile) }).cases).toHaveLength(maxCasesPerFile)
  expect(readCases({ name: 'a.yaml', text: many(maxCasesPerFile + 1) }).problems).toHaveLength(1)
})
