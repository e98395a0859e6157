import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Principal, unclassified } from '#kernel'
import { mostTold } from '../arguments.ts'
import { compilePolicy } from '../cedar/compile.ts'
import type { PolicySource } from '../cedar/source.ts'
import { createDecide } from '../decide.ts'
import { createSurroundings } from '../settings.ts'
import { prepareSnapshot } from '../snapshot/load.ts'
import type { OfficialAnswer, OfficialThread } from './official-thread.ts'
import type { RejudgeOutcome } from './metrics.ts'
import { createRejudging, type Disagreement } from './rejudge.ts'

const ada: Principal = {
  id: 'ada',
  name: 'Ada',
  roles: ['reader'],
  factors: ['password'],
  credential: { kind: 'session', id: 's1', expiresAt: 1e15 },
}
const source: PolicySource = {
  roles: [
    { name: 'reader', grants: [{ permissions: ['tools:call'], resources: ['notes/*'] }] },
    { name: 'admin', grants: [{ permissions: ['roles:write'], resources: ['castellan'] }] },
  ],
  files: [
    {
      name: 'mail.cedar',
      text: '@id("outside")\nforbid (principal, action in Castellan::Action::"tools:call", resource) when { context.texts.hasTag("to") && !(context.texts.getTag("to") like "*@example.com") };',
    },
  ],
}
const surroundings = createSurroundings({ policy: { timeZone: 'UTC', networks: [] } })
const tool = { kind: 'tool', upstream: 'notes', name: 'send' } as const

function snapshot(version: number, given = source) {
  const compilation = compilePolicy(given, version)
  if (!compilation.isValid) throw new Error(JSON.stringify(compilation.problems))
  return prepareSnapshot({ version, hash: `h${version}`, cedar: compilation.policy.cedar }, compilation.policy)
}

function scene(given: { share?: number; thread?: OfficialThread } = {}) {
  const alarms: Disagreement[] = []
  const outcomes: RejudgeOutcome[] = []
  const state = { loaded: snapshot(1) }
  const { share = 1, ...rest } = given
  const rejudging = createRejudging({
    ...rest,
    share: () => share,
    onDisagreement: (found) => alarms.push(found),
    onJudged: (outcome) => outcomes.push(outcome),
  })
  const decide = createDecide({
    current: () => state.loaded,
    surroundings: () => surroundings,
    now: () => 1_760_000_000_000,
    rejudging,
  })
  const call = (to: unknown) =>
    decide(ada, 'tools:call', tool, { callArguments: { to }, classification: { ...unclassified, effect: 'write' } })
  return { alarms, outcomes, state, rejudging, decide, call }
}

/** A thread that answers as told, and keeps what it was asked. */
function scripted(answer: () => OfficialAnswer) {
  const asked: unknown[] = []
  const thread: OfficialThread = {
    ask(_rules, question) {
      asked.push(question)
      return Promise.resolve(answer())
    },
  }
  return { asked, thread }
}

const allows = { isAllowed: true, rules: ['role:reader#1'], erring: [] }
const denies = { isAllowed: false, rules: [], erring: [] }

test('the official engine, in its own thread, agrees with what was decided', async () => {
  const { alarms, call, state, rejudging } = scene()
  expect(call('bob@example.com').isAllowed).toBe(true)
  expect(call('eve@elsewhere.org').isAllowed).toBe(false)
  expect(call(5).isAllowed).toBe(false)
  await pause(1_500)
  expect(alarms).toEqual([])
  expect(rejudging.isDistrusted(state.loaded)).toBe(false)
})

test('one disagreement denies everything from then on, and raises one alarm', async () => {
  const { thread } = scripted(() => ({ verdict: denies, ms: 0 }))
  const { alarms, call, state } = scene({ thread })
  expect(call('bob@example.com').isAllowed).toBe(true)
  call('bob@example.com')
  await pause(20)
  expect(call('bob@example.com')).toMatchObject({ isAllowed: false, reasons: [{ rule: 'distrusted' }], remedies: [] })
  expect(alarms).toEqual([
    {
      snapshotVersion: 1,
      rulesHash: state.loaded.rulesHash,
      action: 'tools:call/write',
      outcome: 'allow',
      deciding: ['role:reader#1'],
      isAllowedOfficially: false,
      decidingOfficially: [],
    },
  ])
  state.loaded = snapshot(2)
  expect(call('bob@example.com')).toMatchObject({ isAllowed: false, reasons: [{ rule: 'distrusted' }] })
  state.loaded = snapshot(3, { ...source, files: [] })
  expect(call('bob@example.com').isAllowed).toBe(true)
})

test('under a distrusted snapshot the admin plane goes on, as far as the official engine confirms it', async () => {
  const { thread } = scripted(() => ({ verdict: denies, ms: 0 }))
  const { call, decide, rejudging, state } = scene({ thread })
  call('bob@example.com')
  await pause(20)
  expect(rejudging.isDistrusted(state.loaded)).toBe(true)
  expect(decide({ ...ada, roles: ['admin'] }, 'roles:write', 'castellan').isAllowed).toBe(true)
  expect(decide(ada, 'roles:write', 'castellan').isAllowed).toBe(false)
})

test('rules that decide otherwise than told are a disagreement, although the answer is the same', async () => {
  const { thread } = scripted(() => ({ verdict: { ...allows, rules: ['role:other#1'] }, ms: 0 }))
  const { alarms, call } = scene({ thread })
  call('bob@example.com')
  await pause(20)
  expect(alarms).toHaveLength(1)
})

test('an engine that cannot judge says nothing', async () => {
  const { thread } = scripted(() => ({ problem: 'the thread died', ms: 0 }))
  const { alarms, call } = scene({ thread })
  call('bob@example.com')
  await pause(20)
  expect(alarms).toEqual([])
  const { thread: refusing } = scripted(() => ({ verdict: { ...denies, problem: 'the request does not fit' }, ms: 0 }))
  const other = scene({ thread: refusing })
  other.call('bob@example.com')
  await pause(20)
  expect(other.alarms).toEqual([])
})

test('what is unknown, or another thing than rules read, is not judged again', async () => {
  const { asked, thread } = scripted(() => ({ verdict: denies, ms: 0 }))
  const { call, decide } = scene({ thread })
  call(5)
  expect(decide(ada, 'tools:call', tool).mayDepend).toBe(true)
  await pause(20)
  expect(asked).toEqual([])
})

test('only the share is judged again, and no more than fits the queue waits', async () => {
  const none = scripted(() => ({ verdict: allows, ms: 0 }))
  const quiet = scene({ share: 0, thread: none.thread })
  for (let index = 0; index < 100; index += 1) quiet.call('bob@example.com')
  await pause(20)
  expect(none.asked).toEqual([])

  const all = scripted(() => ({ verdict: allows, ms: 0 }))
  const busy = scene({ thread: all.thread })
  for (let index = 0; index < 100; index += 1) busy.call('bob@example.com')
  await pause(300)
  expect(all.asked).toHaveLength(33)
})

test('it rests twenty times as long as a judgement takes', async () => {
  const slow = scripted(() => ({ verdict: allows, ms: 50 }))
  const { call } = scene({ thread: slow.thread })
  call('bob@example.com')
  call('bob@example.com')
  await pause(300)
  expect(slow.asked).toHaveLength(1)
})

test('every judgement is told: agreed, disagreed however often, and unanswered', async () => {
  const answers: OfficialAnswer[] = [
    { verdict: allows, ms: 0 },
    { verdict: denies, ms: 0 },
    { verdict: denies, ms: 0 },
    { problem: 'the thread died', ms: 0 },
    { verdict: { ...denies, problem: 'the request does not fit' }, ms: 0 },
  ]
  const { thread } = scripted(() => answers.shift() ?? { problem: 'no more', ms: 0 })
  const { alarms, call, outcomes } = scene({ thread })
  for (let index = 0; index < 5; index += 1) call('bob@example.com')
  await pause(100)
  expect(outcomes).toEqual(['agreed', 'disagreed', 'disagreed', 'unanswered', 'unanswered'])
  expect(alarms).toHaveLength(1)
})

test('arguments beyond what the engine is told leave the decision as it is, and it is told that nobody judged it', async () => {
  const { asked, thread } = scripted(() => ({ verdict: allows, ms: 0 }))
  const { alarms, call, outcomes } = scene({ thread })
  expect(call(`${'x'.repeat(mostTold)}@example.com`).isAllowed).toBe(true)
  expect(outcomes).toEqual(['unanswered'])
  call('bob@example.com')
  await pause(20)
  expect(asked).toHaveLength(1)
  expect(outcomes).toEqual(['unanswered', 'agreed'])
  expect(alarms).toEqual([])
})

test('a rule of hundreds of conditions, and one with a remedy, are judged again like any other', async () => {
  const { alarms, call, outcomes, state, rejudging, decide } = scene()
  const one = (index: number) => `context.texts.hasTag("to") && context.texts.getTag("to") == "x${index}@example.com"`
  const many = Array.from({ length: 190 }, (_, index) => one(index)).join(' || ')
  const calls = 'forbid (principal, action in Castellan::Action::"tools:call", resource)'
  const text = `@id("many")\n${calls} when { ${many} };\n@id("asks")\n@remedy("consent")\n@purpose("x")\n${calls} when { context.texts.hasTag("to") && context.texts.getTag("to") like "ask*" } // at the end\n;`
  state.loaded = snapshot(2, { ...source, files: [{ name: 'many.cedar', text }] })
  expect(call('x189@example.com').reasons.map(({ rule }) => rule)).toEqual(['many.cedar#many'])
  expect(call('ask@example.com').remedies).toHaveLength(1)
  expect(call('bob@example.com').isAllowed).toBe(true)
  await expect.poll(() => outcomes, { timeout: 20_000 }).toEqual(['agreed', 'agreed', 'agreed'])
  expect(alarms).toEqual([])
  const met = new Set(['many.cedar#asks'])
  const mended = decide(ada, 'tools:call', tool, { callArguments: { to: 'ask@example.com' }, met })
  expect(mended.isAllowed).toBe(true)
  await expect.poll(() => outcomes, { timeout: 20_000 }).toHaveLength(4)
  expect(outcomes.at(-1)).toBe('agreed')
  expect(rejudging.isDistrusted(state.loaded)).toBe(false)
}, 60_000)
