import { unclassified } from '#kernel'
import { describe, expect, test } from 'vitest'
import { principalOf } from '../../../test/world/policy.ts'
import type { Circumstances, Remedy } from '../circumstances.ts'
import type { Decision } from '../decide.ts'
import type { Policy } from '../policy.ts'
import { judgeCall } from './judge-call.ts'
import { answerTo, questionsOf } from './questions-then.ts'
import type { NeededThen, RecordedCall } from './recorded-call.ts'

const ben = principalOf('ben', 'ben', 'clerk')
const open = { ...unclassified, isOutlet: false }
const secret = { ...unclassified, owner: 'ops' }
const tool: NeededThen = {
  permission: 'tools:call',
  target: { upstream: 'books', kind: 'tool', name: 'echo' },
  classification: open,
  wasCalled: false,
}
const file: NeededThen = {
  permission: 'files:read',
  target: { upstream: 'books', kind: 'resource', name: 'file:///x' },
  classification: unclassified,
  wasCalled: false,
}
const around = { at: 5, callArguments: { to: 'ops' }, flow: new Set(['untrusted']), consents: new Set<string>() }

function call(more: Partial<RecordedCall> = {}): RecordedCall {
  const needed = [tool] as const
  return { principal: ben, needed, serverClassification: secret, circumstances: around, met: new Set(), ...more }
}

const allow: Decision = {
  isAllowed: true,
  reasons: [{ rule: 'yes', says: 'y' }],
  snapshotVersion: 1,
  remedies: [],
  mayDepend: false,
}
const deny: Decision = { ...allow, isAllowed: false, reasons: [{ rule: 'no', says: 'n' }] }
const depends: Decision = { ...deny, mayDepend: true, reasons: [{ rule: 'maybe', says: 'm' }] }
const redact: Remedy = { rule: 'f#r', kind: 'redact', fields: ['iban'] }
const approval: Remedy = { rule: 'f#a', kind: 'approval' }

type Asked = { permission: string; met: Circumstances['met']; callArguments: Circumstances['callArguments'] }

/** What is answered to each permission, and what was asked. */
function deciding(answers: Readonly<Record<string, Decision | ((asked: Asked) => Decision)>>) {
  const asked: Asked[] = []
  const decide: Policy['decide'] = (_principal, permission, _target, circumstances = {}) => {
    const { met, callArguments } = circumstances
    const one = { permission, met, callArguments }
    asked.push(one)
    const answer = answers[permission] ?? allow
    return typeof answer === 'function' ? answer(one) : answer
  }
  return { decide, asked }
}

describe('questionsOf', () => {
  test('the server is asked about first, without arguments, by the labels of the server', () => {
    const [server, ...others] = questionsOf(call())
    expect(server).toEqual({
      principal: ben,
      permission: 'servers:use',
      target: { upstream: 'books', kind: 'server' },
      wasCalled: false,
      circumstances: { ...around, callArguments: undefined, classification: secret },
    })
    expect(others).toHaveLength(1)
  })

  test('what the call was about has its arguments and what was met; what it needed besides has neither', () => {
    const [, about, besides] = questionsOf(call({ needed: [tool, file], met: new Set(['f#a']) }))
    expect(about?.circumstances).toEqual({ ...around, met: new Set(['f#a']), classification: open })
    expect(about).toMatchObject({ permission: 'tools:call', target: tool.target })
    expect(besides?.circumstances).toEqual({ ...around, callArguments: undefined, classification: unclassified })
    expect(besides).toMatchObject({ permission: 'files:read', target: file.target })
    const [, unmet] = questionsOf(call())
    expect(unmet?.circumstances).not.toHaveProperty('met')
  })

  test('what went on with a call is asked about as in the gateway: everything met, no arguments', () => {
    const [, about] = questionsOf(call({ needed: [{ ...tool, wasCalled: true }], met: new Set(['f#a']) }))
    expect(about?.wasCalled).toBe(true)
    expect(about?.circumstances).toEqual({ ...around, callArguments: undefined, met: 'all', classification: open })
  })
})

describe('answerTo', () => {
  const [, about] = questionsOf(call({ needed: [{ ...tool, wasCalled: true }] }))
  const [, plain] = questionsOf(call())
  if (about === undefined || plain === undefined) throw new Error('no question')

  test('a call by itself is asked once, and answered as it is', () => {
    const { decide, asked } = deciding({ 'tools:call': depends })
    expect(answerTo(decide, plain)).toBe(depends)
    expect(asked).toHaveLength(1)
  })

  test('what went on is allowed where only arguments could have denied it, and denied where something else does', () => {
    expect(answerTo(deciding({ 'tools:call': depends }).decide, about)).toEqual({
      ...depends,
      isAllowed: true,
      mayDepend: false,
    })
    expect(answerTo(deciding({ 'tools:call': deny }).decide, about)).toBe(deny)
    expect(answerTo(deciding({ 'tools:call': allow }).decide, about)).toBe(allow)
  })

  test('what has to be redacted does not go on, and nothing mends that', () => {
    const answer = ({ met }: Asked) => (met === 'all' ? allow : { ...deny, remedies: [approval, redact] })
    expect(answerTo(deciding({ 'tools:call': answer }).decide, about)).toEqual({ ...deny, remedies: [] })
    const inWhich = (flow: ReadonlySet<string> | undefined) =>
      flow?.has('untrusted') === true ? { ...deny, remedies: [redact] } : allow
    const byFlow: Policy['decide'] = (_who, _what, _thing, { met, flow } = {}) =>
      met === 'all' ? allow : inWhich(flow)
    expect(answerTo(byFlow, about).isAllowed).toBe(false)
    const approved = ({ met }: Asked) => (met === 'all' ? allow : { ...deny, remedies: [approval] })
    expect(answerTo(deciding({ 'tools:call': approved }).decide, about)).toBe(allow)
  })
})

describe('judgeCall', () => {
  const both = call({ needed: [tool, file] })

  test('a call is allowed when everything is, with the reasons of what it was about', () => {
    const about = { ...allow, reasons: [{ rule: 'tool', says: 't' }] }
    const { decide, asked } = deciding({ 'tools:call': about })
    expect(judgeCall(decide, both)).toEqual({ judged: 'allowed', reasons: about.reasons, remedies: [] })
    expect(asked.map(({ permission }) => permission)).toEqual(['servers:use', 'tools:call', 'files:read'])
  })

  test.each(['servers:use', 'tools:call', 'files:read'])(
    'a denial of %s denies it, with its reasons and remedies',
    (permission) => {
      const denial = { ...deny, remedies: [approval] }
      const { decide, asked } = deciding({ [permission]: denial })
      expect(judgeCall(decide, both)).toEqual({ judged: 'denied', reasons: deny.reasons, remedies: [approval] })
      expect(asked.at(-1)?.permission).toBe(permission)
    },
  )

  test('what rests on what is not on record is untold, by the first such thing, unless something denies it anyway', () => {
    const later = { ...depends, reasons: [{ rule: 'later', says: 'l' }], remedies: [approval] }
    const untold = deciding({ 'tools:call': depends, 'files:read': later })
    expect(judgeCall(untold.decide, both)).toEqual({ judged: 'untold', reasons: depends.reasons, remedies: [] })
    const denied = deciding({ 'tools:call': depends, 'files:read': deny })
    expect(judgeCall(denied.decide, both)).toEqual({ judged: 'denied', reasons: deny.reasons, remedies: [] })
  })
})
