import type { Principal } from '#kernel'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  askedAt,
  decideBy,
  decideUnder,
  loadPolicy,
  shadowsBy,
  somebody,
  toolOf,
} from '../../test/world/policies/decisions.ts'
import { createJudge, officialCall, officialRule } from './cedar/judge.ts'
import type { Circumstances } from './circumstances.ts'
import type { Asked } from './explain.ts'
import { readQuestion } from './question.ts'
import { createSurroundings } from './settings.ts'

const staff = { name: 'staff', grants: [{ permissions: ['*'], resources: ['*'] }] }
const send = toolOf('mail', 'send')
const empty = new Set<string>()
const told: Circumstances = { address: '192.0.2.1', flow: empty, consents: empty, callArguments: {} }

function under(text: string, settings = {}) {
  return decideUnder({ roles: [staff], files: [{ name: 'house.cedar', text }] }, settings)
}

function forbidWhen(condition: string, settings = {}) {
  const decide = under(`@id("r") forbid (principal, action, resource) when { ${condition} };`, settings)
  return (circumstances: Circumstances = {}, principal: Principal = somebody('staff'), target: Asked = send) => {
    const decision = decide(principal, 'tools:call', target, { ...told, ...circumstances })
    if (decision.isAllowed) return 'allowed'
    if (decision.mayDepend) return 'depends'
    return decision.reasons[0]?.isConfused === true ? 'unjudged' : 'denied'
  }
}

test('an argument is read by its place, whatever is in its name', () => {
  const at = (key: string, callArguments: Record<string, unknown>) =>
    forbidWhen(`context.texts.hasTag("${key}") && context.texts.getTag("${key}") == "x"`)({ callArguments })
  for (const [key, given] of [
    ['a', { a: 'x' }],
    ['a/b', { a: { b: 'x' } }],
    ['a~1b', { 'a/b': 'x' }],
    ['a~0b', { 'a~b': 'x' }],
    ['a~01', { 'a~1': 'x' }],
    ['a/0', { a: ['x'] }],
    ['a/1/b', { a: [{}, { b: 'x' }] }],
    ['', { '': 'x' }],
    ['__proto__', JSON.parse('{"__proto__": "x"}')],
    ['constructor', { constructor: 'x' }],
  ] as [string, Record<string, unknown>][]) {
    expect(at(key, given), key).toBe('denied')
  }
  for (const [key, given] of [
    ['a/b', { 'a/b': 'x' }],
    ['a/00', { a: ['x'] }],
    ['a/1', { a: ['x'] }],
    ['a/-1', { a: ['x'] }],
    ['a/length', { a: ['x'] }],
    ['a/0', { a: 'x' }],
    ['toString', {}],
    ['__proto__', {}],
  ] as [string, Record<string, unknown>][]) {
    expect(at(key, given), key).toBe('allowed')
  }
})

test('an argument of another type than a rule reads denies, and one that no rule reads does not', () => {
  const text = 'context.texts.hasTag("k") && context.texts.getTag("k") == "bad"'
  const number = 'context.numbers.hasTag("k") && context.numbers.getTag("k") > 5'
  const flag = 'context.flags.hasTag("k") && context.flags.getTag("k")'
  const list = 'context.lists.hasTag("k") && context.lists.getTag("k").contains("bad")'
  const values: [unknown, string[]][] = [
    ['good', [text]],
    [5, [number]],
    [-0, [number]],
    [9_007_199_254_740_991, []],
    [9_007_199_254_740_992, []],
    [1.5, []],
    [false, [flag]],
    [null, []],
    [{}, []],
    [[], [list]],
    [['good'], [list]],
    [['good', 1], []],
    ['lone \ud800', []],
    [['lone \ud800'], []],
  ]
  for (const [k, fitting] of values) {
    for (const condition of [text, number, flag, list]) {
      const isLarge = k === 9_007_199_254_740_991 && condition === number
      const expected = isLarge ? 'denied' : fitting.includes(condition) ? 'allowed' : 'unjudged'
      expect(forbidWhen(condition)({ callArguments: { k } }), `${String(k)} ${condition}`).toBe(expected)
    }
    expect(forbidWhen('context.texts.hasTag("other")')({ callArguments: { k } })).toBe('allowed')
  }
})

test('a name that a careless server could take for the one that a rule reads denies', () => {
  const judge = forbidWhen('context.texts.hasTag("to") && context.texts.getTag("to") == "bad"')
  for (const callArguments of [{ To: 'bad' }, { to: 'good', TO: 'bad' }, { ｔo: 'bad' }, { 't\u00ado': 'bad' }]) {
    expect(judge({ callArguments }), JSON.stringify(callArguments)).toBe('unjudged')
  }
  const deep = forbidWhen('context.texts.hasTag("a/to") && context.texts.getTag("a/to") == "bad"')
  expect(deep({ callArguments: { A: { to: 'bad' } } })).toBe('unjudged')
  expect(deep({ callArguments: { b: { To: 'bad' } } })).toBe('allowed')
})

test('what was not told is unknown: it denies, or depends where it could allow', () => {
  const unknowns: [string, Circumstances][] = [
    ['context.address.isInRange(ip("10.0.0.0/8"))', { address: undefined }],
    ['context.zones.contains("office")', { address: undefined }],
    ['context.flow.contains("untrusted")', { flow: undefined }],
    ['context.consents.contains("letters")', { consents: undefined }],
    ['context.texts.hasTag("to")', { callArguments: undefined }],
  ]
  for (const [condition, missing] of unknowns) {
    expect(forbidWhen(condition)(missing), condition).toBe('depends')
    expect(forbidWhen(condition)({}), condition).toBe('allowed')
    expect(forbidWhen(`true || ${condition}`)(missing), condition).toBe('denied')
    expect(forbidWhen(`false && ${condition}`)(missing), condition).toBe('allowed')
  }
})

test('an address that cannot be read denies where a rule reads it', () => {
  const judge = forbidWhen('context.address.isInRange(ip("10.0.0.0/8"))')
  expect(judge({ address: 'nowhere' })).toBe('denied')
  expect(judge({ address: '10.1.2.3' })).toBe('denied')
  expect(judge({ address: '::ffff:10.1.2.3' })).toBe('denied')
  expect(judge({ address: '2001:db8::1' })).toBe('allowed')
  expect(forbidWhen('context.time.hour > 24')({ address: 'nowhere' })).toBe('allowed')
})

test('time is that of the configured zone, also where clocks change', () => {
  const berlin = { timeZone: 'Europe/Berlin' }
  const at = (time: string, condition: string) => forbidWhen(condition, berlin)({ at: Date.parse(time) })
  expect(at('2026-07-15T21:59:00Z', 'context.time.hour == 23 && context.time.minute == 59')).toBe('denied')
  expect(at('2026-07-15T22:00:00Z', 'context.time.hour == 0 && context.time.date == "2026-07-16"')).toBe('denied')
  expect(at('2026-12-31T23:00:00Z', 'context.time.weekday == "friday" && context.time.date == "2027-01-01"')).toBe(
    'denied',
  )
  expect(at('2026-10-25T01:30:00Z', 'context.time.hour == 2')).toBe('denied')
  expect(at('2026-07-15T22:00:00Z', 'context.at == datetime("2026-07-15T22:00:00Z")')).toBe('denied')
})

test('principals are told apart by kind, group, claim, client, factor and its age', () => {
  const ada = somebody('staff')
  const cases: [string, Partial<Principal>][] = [
    ['principal is Castellan::ServiceAccount', { isService: true }],
    ['principal == Castellan::Person::"p2"', { id: 'p2' }],
    ['principal in Castellan::Group::"okta/Finance"', { groups: ['okta/Finance'] }],
    ['principal.hasTag("dept") && principal.getTag("dept").contains("sales")', { claims: { dept: ['sales'] } }],
    ['context.client.isSelfRegistered', { client: { id: 'c', name: 'c', scopes: [], isSelfRegistered: true } }],
    ['context.client.id == "c"', { client: { id: 'c', name: 'c', scopes: [] } }],
    ['context.actors.contains("agent")', { actors: [{ id: 'agent', name: 'a', client: 'c' }] }],
    ['context.factors.contains("passkey")', { factors: ['passkey'] }],
    ['context has factorAgeSeconds && context.factorAgeSeconds >= 60', { factorsAt: askedAt - 60_000 }],
    ['!(context has factorAgeSeconds && context.factorAgeSeconds < 60)', {}],
  ]
  for (const [condition, more] of cases) {
    const judge = forbidWhen(condition)
    expect(judge({}, { ...ada, ...more }), condition).toBe('denied')
    const other = condition.startsWith('!') ? { ...ada, factorsAt: askedAt } : ada
    expect(judge({}, other), condition).toBe('allowed')
  }
})

test('a denial names rule, place and what the rule read, and tells what the rule lets tell', () => {
  const text = `// first
@id("own") @says("only to the house")
forbid (principal, action, resource) unless { context.texts.hasTag("to") && context.texts.getTag("to") like "*@house" };
@id("hidden") @quiet
forbid (principal, action, resource) when { resource.name == "secret" };`
  const decide = under(text)
  const [reason] = decide(somebody('staff'), 'tools:call', send, { ...told, callArguments: { to: 'eve@else' } }).reasons
  expect(reason).toMatchObject({
    rule: 'house.cedar#own',
    place: 'house.cedar:2',
    told: 'only to the house',
    says: 'rule `house.cedar#own` forbids `tools:call` on `mail/tools/send` (house.cedar:2)',
  })
  expect(Object.values(reason?.inputs ?? {})).toContain('eve@else')
  const quiet = decide(somebody('staff'), 'tools:call', toolOf('mail', 'secret'), {
    ...told,
    callArguments: { to: 'a@house' },
  })
  expect(quiet.reasons[0]).toMatchObject({ rule: 'house.cedar#hidden' })
  expect(quiet.reasons[0]).not.toHaveProperty('told')
})

test('a rule that is judged aside changes no answer, and what it would have done can be asked', () => {
  const loaded = loadPolicy({
    files: [
      {
        name: 'house.cedar',
        text: `permit (principal, action, resource) when { resource.name == "a" };
@id("no") @shadow forbid (principal, action, resource) when { resource.name == "a" };
@id("yes") @shadow permit (principal, action, resource) when { resource.name == "b" };
@id("odd") @shadow forbid (principal, action, resource) when { context.texts.hasTag("k") };`,
      },
    ],
  })
  const decide = decideBy(loaded)
  const aside = (name: string, circumstances: Circumstances = told) => {
    const asked = { permission: 'tools:call', target: toolOf('m', name), circumstances } as const
    const isAllowed = decide(somebody(), asked.permission, asked.target, circumstances).isAllowed
    return [isAllowed, shadowsBy(loaded)({ principal: somebody(), ...asked })]
  }
  expect(aside('a')).toEqual([true, [{ rule: 'house.cedar#no', would: 'deny' }]])
  expect(aside('b')).toEqual([false, [{ rule: 'house.cedar#yes', would: 'allow' }]])
  expect(aside('c')).toEqual([false, []])
  expect(aside('a', { ...told, callArguments: { k: 1 } })).toEqual([
    true,
    [
      { rule: 'house.cedar#no', would: 'deny' },
      { rule: 'house.cedar#odd', would: 'fail' },
    ],
  ])
})

const asking = fc.record({
  roles: fc.subarray(['staff', 'reader', 'none']),
  groups: fc.subarray(['g', 'h']),
  name: fc.constantFrom('send', 'look'),
  address: fc.constantFrom('10.0.0.1', '192.0.2.1', '2001:db8::1'),
  at: fc.constantFrom(askedAt, askedAt + 7_200_000, askedAt + 3 * 86_400_000),
  flow: fc.subarray(['untrusted', 'restricted']),
  met: fc.subarray(['house.cedar#big']),
  isService: fc.boolean(),
  callArguments: fc.record(
    { to: fc.constantFrom('a@house', 'b@else'), n: fc.integer({ min: 0, max: 9 }) },
    { requiredKeys: [] },
  ),
  effect: fc.constantFrom('read', 'write', 'execute'),
})

test('the official engine says the same of the same question', () => {
  const reader = {
    name: 'reader',
    grants: [{ permissions: ['tools:call/read'], resources: ['mail/*'], when: 'context.time.hour < 16' }],
  }
  const text = `
forbid (principal, action in Castellan::Action::"write", resource) unless { principal in Castellan::Group::"g" };
forbid (principal is Castellan::ServiceAccount, action, resource) when { context.flow.containsAny(["untrusted"]) };
forbid (principal, action, resource) when { context.texts.hasTag("to") && context.texts.getTag("to") like "*@else" && !context.address.isInRange(ip("10.0.0.0/8")) };
@id("big") @remedy("step-up") forbid (principal, action, resource) when { context.numbers.hasTag("n") && context.numbers.getTag("n") > 5 };
forbid (principal, action, resource) when { context.time.weekday == "saturday" && context.zones.contains("office") };`
  const loaded = loadPolicy({ roles: [staff, reader], files: [{ name: 'house.cedar', text }] })
  const settings = { timeZone: 'Europe/Berlin', networks: [{ name: 'office', addresses: ['10.0.0.0/8'] }] }
  const surroundings = createSurroundings({ policy: settings })
  const ask = createJudge()([...loaded.rules.values()].map(officialRule))
  const decide = decideBy(loaded, settings)
  const seen = { allowed: 0, denied: 0 }
  fc.assert(
    fc.property(asking, ({ roles, groups, name, isService, flow, met, effect, ...rest }) => {
      const principal: Principal = { ...somebody(...roles), groups, ...(isService ? { isService: true as const } : {}) }
      const circumstances: Circumstances = {
        ...rest,
        flow: new Set(flow),
        consents: empty,
        met: new Set(met),
        classification: {
          effect,
          sensitivity: 'public',
          dataClasses: ['x'],
          owner: '',
          bringsUntrusted: false,
          isOutlet: true,
        },
      }
      const target = toolOf('mail', name)
      const decision = decide(principal, 'tools:call', target, circumstances)
      const question = readQuestion(principal, { permission: 'tools:call', target, circumstances, now: askedAt })
      if (question.unreadable !== undefined) throw new Error(question.unreadable)
      const verdict = ask(officialCall(question, surroundings, new Set(met)))
      expect(verdict.problem).toBeUndefined()
      expect(decision.isAllowed).toBe(verdict.isAllowed)
      if (verdict.rules.length > 0) expect(decision.reasons.map(({ rule }) => rule)).toEqual(verdict.rules)
      seen[decision.isAllowed ? 'allowed' : 'denied'] += 1
    }),
    { numRuns: 300 },
  )
  expect(Math.min(seen.allowed, seen.denied)).toBeGreaterThan(20)
})
