import { expect, test } from 'vitest'
import { askedAt, decideUnder, somebody, toolOf } from '../../test/world/policies/decisions.ts'
import type { Circumstances } from './circumstances.ts'
import { createPlainAnswers } from './plain-answers.ts'

const reader = { name: 'reader', grants: [{ permissions: ['tools:call'], resources: ['notes/*'] }] }
const ada = somebody('reader')
const flow = new Set<string>()

test('an allowance that rests on roles and names alone is one and the same for one principal', () => {
  const decide = decideUnder({ roles: [reader] })
  const first = decide(ada, 'tools:call', toolOf('notes', 'a'), { callArguments: { secret: 'canary' } })
  expect(first.isAllowed).toBe(true)
  expect(decide(ada, 'tools:call', toolOf('notes', 'a'), { address: '192.0.2.1' })).toBe(first)
  expect(Object.isFrozen(first) && Object.isFrozen(first.reasons)).toBe(true)
  expect(decide(ada, 'tools:call', toolOf('notes', 'b'))).not.toBe(first)
  expect(decide({ ...ada, roles: [] }, 'tools:call', toolOf('notes', 'a')).isAllowed).toBe(false)
  expect(decide(ada, 'tools:call', toolOf('mail', 'a')).isAllowed).toBe(false)
})

test('whatever else a rule reads is read each time', () => {
  const classification = {
    effect: 'execute',
    sensitivity: 'public',
    dataClasses: [],
    owner: '',
    bringsUntrusted: false,
    isOutlet: false,
  } as const
  const cases: [string, Circumstances, Circumstances][] = [
    ['context.time.hour == 20', {}, { at: askedAt + 6 * 3_600_000 }],
    ['context.flow.contains("x")', {}, { flow: new Set(['x']) }],
    ['context.texts.hasTag("k")', {}, { callArguments: { k: 'v' } }],
    ['resource.sensitivity == "public"', {}, { classification }],
    ['action == Castellan::Action::"tools:call/write"', {}, { classification: { ...classification, effect: 'write' } }],
    ['context.texts.hasTag(principal.name)', {}, { callArguments: { ada: 'v' } }],
    ['["public"].contains(resource.sensitivity)', {}, { classification }],
    ['{"a": context.flow}.a.contains("x")', {}, { flow: new Set(['x']) }],
  ]
  for (const [condition, before, after] of cases) {
    const text = `forbid (principal, action in Castellan::Action::"tools:call", resource) when { ${condition} };`
    const decide = decideUnder({ roles: [reader], files: [{ name: 'a.cedar', text }] })
    const ask = (more: Circumstances) =>
      decide(ada, 'tools:call', toolOf('notes', 'a'), { flow, callArguments: {}, ...more }).isAllowed
    expect([ask(before), ask(after), ask(before)], condition).toEqual([true, false, true])
  }
})

test('names made up by callers do not fill the memory, and two questions have one place only when they are one', () => {
  const answers = createPlainAnswers()
  const decision = { isAllowed: true, reasons: [], snapshotVersion: 1, remedies: [], mayDepend: false }
  const asked = (upstream: string, name: string) =>
    ({ principal: ada, permission: 'tools:call', target: { upstream, kind: 'tool', name }, effect: 'read' }) as const
  for (const [upstream, name] of [
    ['a', 'x'.repeat(257)],
    ['x'.repeat(257), 'a'],
  ] as const) {
    answers.keep(asked(upstream, name), { ...decision }, () => [])
    expect(answers.find(asked(upstream, name))).toBeUndefined()
  }
  answers.keep(asked('a', 'bc'), { ...decision }, () => ['resource.name'])
  expect(answers.find(asked('a', 'bc'))).toBeDefined()
  expect(answers.find(asked('ab', 'c'))).toBeUndefined()
  answers.keep(asked('u', 'denied'), { ...decision, isAllowed: false }, () => [])
  answers.keep(asked('u', 'reads'), { ...decision }, () => ['resource.name', 'context.at'])
  expect([answers.find(asked('u', 'denied')), answers.find(asked('u', 'reads'))]).toEqual([undefined, undefined])
  for (let count = 0; count < 500; count++) answers.keep(asked('a', `n${count}`), { ...decision }, () => [])
  expect(answers.find(asked('a', 'bc'))).toBeUndefined()
})

test('what rests on who asks, what and which thing is kept, and nothing else is', () => {
  const decision = { isAllowed: true, reasons: [], snapshotVersion: 1, remedies: [], mayDepend: false }
  const isKept = (read: string): boolean => {
    const answers = createPlainAnswers()
    const asked = {
      principal: ada,
      permission: 'tools:call',
      target: { upstream: 'a', kind: 'tool', name: 'b' },
      effect: 'read',
    } as const
    answers.keep(asked, { ...decision }, () => [read])
    return answers.find(asked) !== undefined
  }
  const plain = [
    'action',
    'action in ...',
    'principal',
    'principal in Castellan::Role::"a role"',
    'principal in Castellan::Group::"g"',
    'principal is Castellan::Person',
    'principal.id',
    'principal.name',
    'resource',
    'resource.upstream',
    'resource.name',
    'resource is Castellan::Tool',
  ]
  expect(plain.filter((read) => !isKept(read))).toEqual([])
  const others = [
    'resource.owner',
    'resource.sensitivity',
    'resource.isOutlet',
    'resource.dataClasses',
    'resource.names',
    'resource is Castellan::Tool in Castellan::Group::"g"',
    'principal["team"]',
    'principal.names',
    'principal in Castellan::Role::"a" or more',
    'principal in Castellan::Other::"a"',
    'principal in ...',
    'actions',
    'an action',
    'my resource.name',
    'context.at',
    '',
  ]
  expect(others.filter(isKept)).toEqual([])
})
