import { policyToJson, type PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createAsking } from '../../../test/world/policies/ask-rules.ts'
import type { JsonRequest } from '../../../test/world/policies/json-world.ts'
import { askOfficially } from '../../../test/world/policies/official.ts'
import { choicesOf, otherWorld, randomPermit, randomWorld } from '../../../test/world/policies/random-world.ts'
import { compileRules, type Judgement, type Rules } from './compile-rules.ts'
import { type CedarRequest, confused, type Entity, recordOf, type Result, textSet, uid, unknown } from './values.ts'

const seeds = fc.integer({ min: 0, max: 2 ** 31 })
const sizes = { mostPolicies: 8, requests: 6 }

function parse(text: string): PolicyJson {
  const parsed = policyToJson(text)
  if (parsed.type === 'failure') throw new Error(parsed.errors[0]?.message)
  return parsed.json
}

function compile(...texts: readonly string[]): Rules {
  return compileRules(texts.map((text, index) => ({ id: `r${index}`, json: parse(text) })))
}

interface Told {
  readonly roles?: readonly string[]
  readonly action?: string
  readonly thing?: Readonly<Record<string, Result>>
  readonly type?: string
  readonly context?: Readonly<Record<string, Result>>
  readonly texts?: (key: string) => Result | undefined
}

const nothing: Entity = { attribute: () => undefined, tag: () => undefined, ancestors: [] }
const texts = uid('Texts', 'asked')

function request({
  roles = [],
  action = 'call',
  thing = {},
  type = 'Tool',
  context = {},
  texts: tag,
}: Told = {}): CedarRequest {
  const ancestors = roles.map((role) => uid('Role', role))
  const entities: Record<string, Entity> = {
    Person: { ...nothing, ancestors, attribute: (name) => (name === 'name' ? 'Ann' : undefined) },
    [type]: { ...nothing, attribute: (name) => thing[name] },
    Texts: { ...nothing, tag: tag ?? (() => undefined) },
    Action: { ...nothing, ancestors: action === 'call' ? [uid('Action', 'write')] : [] },
  }
  return {
    principal: uid('Person', 'ann'),
    action: uid('Action', action),
    resource: uid(type, 'asked'),
    context: recordOf(new Map<string, Result>([['texts', texts], ...Object.entries(context)])),
    entity: ({ type: asked }) => entities[asked],
  }
}

function agrees({ outcome, deciding, errors }: Judgement, said: ReturnType<ReturnType<typeof askOfficially>>): void {
  expect(errors.map(({ id }) => id)).toEqual(said.erring)
  if (errors.length > 0) {
    expect(outcome).toBe('deny')
    return
  }
  expect({ outcome, deciding }).toEqual({ outcome: said.isAllowed ? 'allow' : 'deny', deciding: said.deciding })
}

test('random rules of the whole language say what the official engine says', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const world = randomWorld(choicesOf(seed), sizes)
      const [rules, asking, official] = [compileRules(world.policies), createAsking(world), askOfficially(world)]
      for (const one of world.requests) agrees(rules.judge(asking(one)), official(one))
    }),
    { numRuns: 80 },
  )
})

test('equal keys have equal judgements, whoever asks for what', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const random = choicesOf(seed)
      const first = randomWorld(random, { mostPolicies: 3, requests: 12 })
      const rules = compileRules(first.policies)
      const known = new Map<string, Judgement>()
      for (const world of [first, otherWorld(random, first), otherWorld(random, first)]) {
        const asking = createAsking(world)
        for (const one of world.requests) {
          const slice = rules.sliceOf(asking(one))
          const judgement = slice.judge()
          expect(known.get(slice.key()) ?? judgement).toEqual(judgement)
          known.set(slice.key(), judgement)
        }
      }
    }),
    { numRuns: 80 },
  )
})

test('what is judged without the arguments holds whatever the arguments are', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const random = choicesOf(seed)
      const first = randomWorld(random, sizes)
      const rules = compileRules(first.policies)
      const isArgument = (type: string) => type === 'N::Texts' || type === 'N::Numbers'
      const untold = createAsking(first, (type, _key, told) => (isArgument(type) ? unknown : told))
      const variants = [0, 1, 2, 3].map(() =>
        otherWorld(random, first).entities.filter(({ uid: name }) => 'type' in name && isArgument(name.type)),
      )
      const rest = first.entities.filter(({ uid: name }) => !('type' in name && isArgument(name.type)))
      const check = (one: JsonRequest) => {
        const { outcome } = rules.judge(untold(one))
        const called = variants.map(
          (variant) => rules.judge(createAsking({ entities: [...rest, ...variant] })(one)).outcome,
        )
        if (outcome !== 'depends') expect(new Set(called)).toEqual(new Set([outcome]))
      }
      first.requests.forEach(check)
    }),
    { numRuns: 80 },
  )
})

test('one more permit never undoes a denial by a forbid', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const random = choicesOf(seed)
      const world = randomWorld(random, sizes)
      const asking = createAsking(world)
      const [before, after] = [[], [{ id: 'more', json: randomPermit(random) }]].map((more) =>
        compileRules([...world.policies, ...more]),
      )
      for (const one of world.requests) {
        const { outcome, deciding } = before!.judge(asking(one))
        if (outcome === 'deny' && deciding.length > 0) expect(after!.judge(asking(one)).outcome).toBe('deny')
      }
    }),
    { numRuns: 40 },
  )
})

test('nothing is allowed without a rule, and a forbid goes before a permit', () => {
  expect(compile().judge(request())).toEqual({ outcome: 'deny', deciding: [], undecided: [], errors: [] })
  const both = compile('permit (principal, action, resource);', 'forbid (principal, action, resource);')
  expect(both.judge(request())).toEqual({ outcome: 'deny', deciding: ['r1'], undecided: [], errors: [] })
})

test('an error denies although another rule permits, and a forbid beside it is told', () => {
  const permitted = compile(
    'permit (principal, action, resource);',
    'permit (principal, action, resource) when { context.a };',
  )
  expect(permitted.judge(request())).toEqual({
    outcome: 'deny',
    deciding: [],
    undecided: [],
    errors: [{ id: 'r1', because: 'missing', message: 'an attribute is missing' }],
  })
  const forbidden = compile('forbid (principal, action, resource);', 'permit (principal, action, resource) when { 1 };')
  expect(forbidden.judge(request())).toMatchObject({
    outcome: 'deny',
    deciding: ['r0'],
    errors: [{ id: 'r1', because: 'type' }],
  })
})

const to = 'context.texts.hasTag("to")'
const getTo = 'context.texts.getTag("to")'

test.each([
  [`permit (principal, action, resource) when { ${to} };`, 'depends'],
  [`permit (principal, action, resource) when { ${getTo} == "x" };`, 'depends'],
  [`permit (principal, action, resource) when { ${getTo} like "x*" };`, 'depends'],
  [`permit (principal, action, resource) when { ${to} && false };`, 'deny'],
  [`permit (principal, action, resource) when { false && ${to} };`, 'deny'],
  [`permit (principal, action, resource) when { ${to} || true };`, 'depends'],
  [`permit (principal, action, resource) when { true || ${to} };`, 'allow'],
  [`permit (principal, action, resource) when { !(${to} || true) };`, 'deny'],
  [`permit (principal, action, resource) when { !(${to} && false) };`, 'depends'],
  [`permit (principal, action, resource) unless { ${to} };`, 'depends'],
  [`permit (principal, action, resource) when { if ${to} then false else false };`, 'deny'],
  [`permit (principal, action, resource) when { if ${to} then true else false };`, 'depends'],
  [`permit (principal, action, resource) when { if ${to} then 1 else 2 };`, 'depends'],
  [`permit (principal, action, resource) when { if ${to} && false then true else false };`, 'deny'],
  [`permit (principal, action, resource) when { ${to} && context.nothing };`, 'deny'],
  [`permit (principal, action, resource) when { context.nothing && ${to} };`, 'deny'],
  [`permit (principal, action, resource) when { ${getTo} + 1 == context.nothing };`, 'deny'],
  [`permit (principal, action, resource) when { [${getTo}].contains("x") };`, 'depends'],
  [`permit (principal, action, resource) when { {a: ${getTo}}.a == "x" };`, 'depends'],
  [`permit (principal, action, resource) when { ${getTo} has a.b || ${getTo} is T };`, 'depends'],
  [`permit (principal, action, resource) when { ${getTo} in principal };`, 'depends'],
])('%s: without the arguments %s', (text, outcome) => {
  const judgement = compile(text).judge(request({ texts: () => unknown }))
  expect(judgement.outcome).toBe(outcome)
  expect(judgement.undecided.length > 0 || judgement.errors.length > 0).toBe(
    !/^permit[^{]*\{ (false &&|true \|\|)/.test(text),
  )
})

test('an unknown never allows: beside a permit that holds the outcome still depends on it', () => {
  const permit = 'permit (principal, action, resource);'
  const asked = request({ texts: () => unknown })
  const judge = (text: string) => compile(permit, text).judge(asked)
  expect(judge(`forbid (principal, action, resource) when { ${to} };`)).toMatchObject({
    outcome: 'depends',
    undecided: ['r1'],
  })
  expect(judge(`permit (principal, action, resource) when { ${to} };`)).toMatchObject({
    outcome: 'depends',
    undecided: ['r1'],
  })
  expect(judge(`forbid (principal, action, resource) when { ${to} && false };`).outcome).toBe('depends')
  expect(judge(`forbid (principal, action, resource) when { ${to} || true };`)).toMatchObject({
    outcome: 'deny',
    deciding: ['r1'],
  })
  expect(judge(`forbid (principal, action, resource) when { true };`)).toMatchObject({ outcome: 'deny', undecided: [] })
})

test('a record that holds something unknown is unknown as a whole, and the rest of it is not', () => {
  const context = {
    half: recordOf(
      new Map<string, Result>([
        ['known', 1],
        ['told', unknown],
      ]),
    ),
  }
  const judge = (condition: string) =>
    compile(`permit (principal, action, resource) when { ${condition} };`).judge(request({ context }))
  expect(judge('context.half.known == 1').outcome).toBe('allow')
  expect(judge('context.half == {known: 1, told: 2}').outcome).toBe('depends')
  expect(judge('[{known: 1}].contains(context.half)').outcome).toBe('depends')
  expect(judge('context.half has told').outcome).toBe('depends')
})

test('a tag of another type than asked for is an error that says so', () => {
  const rules = compile('permit (principal, action, resource);', `forbid (principal, action, resource) when { ${to} };`)
  const judgement = rules.judge(request({ texts: () => confused('the argument is a number') }))
  expect(judgement).toMatchObject({
    outcome: 'deny',
    errors: [{ id: 'r1', because: 'confused', message: 'the argument is a number' }],
  })
})

test('what no rule reads is never asked for', () => {
  const asked: string[] = []
  const rules = compile(
    'permit (principal in Role::"a", action == Action::"call", resource) when { resource.upstream == "x" && context.one };',
    'permit (principal in Role::"b", action, resource) when { context.two };',
    'permit (principal in Role::"a", action, resource) when { resource.upstream == "y" && context.three };',
    'permit (principal in Role::"a", action == Action::"read", resource) when { context.four };',
  )
  const plain = request({ roles: ['a'], thing: { upstream: 'x', name: 'n' } })
  const get = (name: string) => {
    asked.push(name)
    return true
  }
  const slice = rules.sliceOf({ ...plain, context: { kind: 'record', get, names: () => [] } })
  expect(slice.judge()).toMatchObject({ outcome: 'allow', deciding: ['r0'] })
  expect(asked).toEqual(['one'])
  expect(slice.reads()).toEqual(['context.one'])
})

test('the key changes with what is read, and with nothing else', () => {
  const rules = compile(
    'permit (principal in Role::"a", action, resource) when { context.zones.contains("office") && context.n < 5 };',
  )
  const key = (told: Told) => rules.sliceOf(request({ roles: ['a'], thing: { name: 'n' }, ...told })).key()
  const zones = (...names: string[]) => textSet(new Set(names))
  const first = key({ context: { zones: zones('office'), n: 1 } })
  expect(
    key({ context: { zones: zones('office', 'home'), n: 2, other: 3 }, thing: { name: 'x' }, roles: ['a', 'c'] }),
  ).toBe(first)
  expect(key({ context: { zones: zones('home'), n: 1 } })).not.toBe(first)
  expect(key({ context: { zones: zones('office'), n: 5 } })).not.toBe(first)
  expect(key({ context: { zones: zones('office'), n: unknown } })).not.toBe(first)
  expect(key({ context: { zones: zones('office') } })).not.toBe(first)
  expect(key({ context: { zones: zones('office'), n: 1 }, roles: [] })).not.toBe(first)
})

test('a place that many rules ask about is one part of the key', () => {
  const rules = compile(
    ...Array.from(
      { length: 20 },
      (_, index) => `permit (principal, action, resource) when { context.zones.contains("z${index}") };`,
    ),
  )
  const key = (...zones: string[]) => rules.sliceOf(request({ context: { zones: textSet(new Set(zones)) } })).key()
  expect(key('z1', 'z2')).toBe(key('z2', 'z1'))
  expect(key('z1')).not.toBe(key('z2'))
  expect(key('z1').length).toBeLessThan(20)
})

test('long values count by their hash', () => {
  const rules = compile('permit (principal, action, resource) when { context.a == context.b };')
  const key = (a: string) => rules.sliceOf(request({ context: { a, b: 'b' } })).key()
  expect(key('x'.repeat(1_000_000)).length).toBeLessThan(100)
  expect(key(`${'x'.repeat(1_000)}1`)).not.toBe(key(`${'x'.repeat(1_000)}2`))
})

test('a rule that names upstream and tool still errs for a thing that has none', () => {
  const rules = compile(
    'permit (principal, action, resource) when { resource.name == "n" && resource.upstream == "x" };',
  )
  expect(rules.judge(request({ thing: { upstream: 'y' } })).errors).toHaveLength(1)
  expect(rules.judge(request({ thing: { name: 'n' } })).errors).toHaveLength(1)
  expect(rules.judge(request({ thing: { name: 'm' } })).errors).toHaveLength(0)
  expect(rules.judge(request({ thing: { upstream: 'x', name: 'n' } })).outcome).toBe('allow')
  expect(rules.judge(request({ thing: { upstream: 'x', name: 1 } })).outcome).toBe('deny')
  expect(rules.judge(request({ thing: { upstream: unknown, name: 'n' } })).outcome).toBe('depends')
})

test('a rule says what it reads, its head included, and what that was', () => {
  const rules = compile(
    'forbid (principal in Role::"a", action, resource is Tool) when { context.texts.getTag("to") like "*@x" || context has "x y" || principal.name == "Ann" };',
  )
  const asked = request({ texts: (key) => (key === 'to' ? 'eve@x' : undefined) })
  expect(rules.readsOf('r0')).toEqual([
    'context.texts["to"]',
    'context["x y"]',
    'principal in Role::"a"',
    'principal.name',
    'resource',
  ])
  expect(rules.inputsOf('r0', asked)).toContainEqual({ place: 'context.texts["to"]', value: 'eve@x' })
  expect(rules.inputsOf('r0', asked)).toContainEqual({ place: 'principal.name', value: 'Ann' })
  expect(rules.readsOf('none')).toEqual([])
})

test('a chain of thousands of alternatives is compiled and judged', () => {
  const deep = Array.from({ length: 20_000 }, (_, index) => ({
    '==': { left: { Value: index }, right: { Value: -1 } },
  }))
  const body = deep.reduce<object>((left, right) => ({ '||': { left, right } }), { Value: false })
  const json = {
    effect: 'permit',
    principal: { op: 'All' },
    action: { op: 'All' },
    resource: { op: 'All' },
    conditions: [{ kind: 'when', body }],
  }
  expect(compileRules([{ id: 'deep', json: json as PolicyJson }]).judge(request()).outcome).toBe('deny')
})

const plainRule = parse('permit (principal, action, resource);')

test.each([
  [
    'an operator that is not known',
    { ...plainRule, conditions: [{ kind: 'when', body: { frobnicate: [{ Value: 1 }] } }] },
  ],
  [
    'a function with too many arguments',
    { ...plainRule, conditions: [{ kind: 'when', body: { ip: [{ Value: '1' }, { Value: '2' }] } }] },
  ],
  ['a number beyond 2^53', { ...plainRule, conditions: [{ kind: 'when', body: { Value: 2 ** 53 } }] }],
  ['a fraction', { ...plainRule, conditions: [{ kind: 'when', body: { Value: 0.5 } }] }],
  ['no value', { ...plainRule, conditions: [{ kind: 'when', body: { Value: null } }] }],
  ['a slot', { ...plainRule, principal: { op: '==', slot: '?principal' } }],
  ['a slot in a condition', { ...plainRule, conditions: [{ kind: 'when', body: { Slot: '?principal' } }] }],
  ['two operators in one', { ...plainRule, conditions: [{ kind: 'when', body: { Value: true, Var: 'principal' } }] }],
  ['no operator', { ...plainRule, conditions: [{ kind: 'when', body: {} }] }],
  ['a variable that is not known', { ...plainRule, conditions: [{ kind: 'when', body: { Var: 'stranger' } }] }],
  [
    'a pattern of another form',
    { ...plainRule, conditions: [{ kind: 'when', body: { like: { left: { Value: '' }, pattern: [1] } } }] },
  ],
  ['a condition of another kind', { ...plainRule, conditions: [{ kind: 'maybe', body: { Value: true } }] }],
  ['no conditions', { ...plainRule, conditions: undefined }],
  ['a head of another form', { ...plainRule, resource: { op: 'near' } }],
  ['another effect', { ...plainRule, effect: 'allow' }],
])('a rule with %s is not compiled', (_, json) => {
  expect(() => compileRules([{ id: 'bad', json: json as PolicyJson }])).toThrowError(
    expect.objectContaining({ code: 'policy.unreadable' }),
  )
})

test('two rules of one id are not compiled', () => {
  const rule = { id: 'same', json: plainRule }
  expect(() => compileRules([rule, rule])).toThrowError(expect.objectContaining({ code: 'policy.unreadable' }))
})
