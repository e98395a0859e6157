import { defineEvent } from '#audit'
import { isRefusal, type Refusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { openPolicy, type PolicyWorld, principalOf } from '../../../test/world/policy.ts'
import type { AskedReplay } from './create-replays.ts'
import type { ExplainedCall } from './explain-call.ts'
import type { ReplayLine } from './replay.ts'

const intended = defineEvent({ name: 'call.intended', says: 'a call' })
const refused = defineEvent({ name: 'call.refused', says: 'a refusal' })
const completed = defineEvent({ name: 'call.completed', says: 'an end' })

const calls = 'action in Castellan::Action::"tools:call"'
const opening = `@id("open")\npermit (principal, ${calls}, resource);\n`
const using = `@id("use")\npermit (principal, action == Castellan::Action::"servers:use", resource);\n`
const amounts = `@id("small")\nforbid (principal, ${calls}, resource)
when { context.numbers.hasTag("amount") && context.numbers.getTag("amount") > 10 };\n`

const folderOf = (text: string) => ({ files: [{ path: 'policies/tried.cedar', text }], isPruning: false })
const ben = { id: 'p-ben', name: 'ben' }
const echo = { upstream: 'books', kind: 'tool', name: 'echo' } as const

function got<T>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new Error(`${answer.code} ${answer.says}`)
  return answer
}

/** Puts rules in force. @returns the version */
async function publish({ policy, root }: PolicyWorld, text: string): Promise<number> {
  const { drafts } = policy.changes
  const { id, hash } = got(await drafts.make({ ...folderOf(text), note: 'test', by: root }))
  got(await policy.changes.publish({ id, hash, note: 'test', mayWarn: true, by: root }))
  await policy.refresh()
  return policy.snapshot().version
}

async function recordDenied({ ledger, policy }: PolicyWorld, more: object = {}): Promise<number> {
  const judged = { roles: ['clerk'], factors: ['password'] }
  const reasons = [{ rule: 'not-granted', says: 'nothing grants it', place: 'x:1', inputs: { amount: 1 } }, 'odd']
  const details = {
    guard: 'authorize-call',
    method: 'tools/call',
    judged,
    snapshot: policy.snapshot().version,
    reasons,
  }
  const fields = { principal: ben, target: echo, exchange: 'x-denied', details: { ...details, ...more } }
  return (await ledger.append(refused, { outcome: 'refused', ...fields })).seq
}

function asking(world: PolicyWorld, policy: AskedReplay['policy'], stop = new AbortController()): AskedReplay {
  return { by: world.root, policy, filter: {}, signal: stop.signal, budget: { sliceMs: 50, share: 1 } }
}

async function all(asked: AsyncGenerator<ReplayLine, void> | Refusal): Promise<ReplayLine[]> {
  const lines: ReplayLine[] = []
  for await (const line of got(asked)) lines.push(line)
  return lines
}

const codeOf = (answer: unknown) => (isRefusal(answer) ? answer.code : 'answered')

eachDatabase('replays', (open) => {
  test('a folder or a draft is tried without being in force, and who tried what is on record', async () => {
    const world = await openPolicy(await open())
    const { policy, ledger, root } = world
    await recordDenied(world)
    const before = policy.snapshot()
    const lines = await all(await policy.replays.replay(asking(world, folderOf(opening + using))))
    expect(lines).toMatchObject([
      {
        change: 'loosened',
        after: { judged: 'allowed', reasons: [{ rule: 'tried.cedar#open', place: 'tried.cedar:1' }] },
        inForce: 'denied',
      },
      { kind: 'summary', ended: 'whole', counts: { loosened: 1 } },
    ])
    const draft = got(await policy.changes.drafts.make({ ...folderOf(using), note: 'n', by: root }))
    const tried = await all(await policy.replays.replay(asking(world, { draft: draft.id })))
    expect(tried).toMatchObject([{ kind: 'summary', counts: { unchanged: 1 } }])
    expect(policy.snapshot()).toEqual(before)
    const entries = await ledger.read({ event: 'calls.replayed' })
    expect(entries).toMatchObject([
      { principal: { id: root.id }, outcome: 'succeeded', details: { ended: 'whole', counts: { loosened: 1 } } },
      { details: { draft: draft.id, hash: draft.hash, ended: 'whole', filter: {}, counts: { unchanged: 1 } } },
    ])
    expect(entries[0]?.details).not.toHaveProperty('draft')
  })

  test('what cannot be published is not tried: the first problem is told with its file and line', async () => {
    const world = await openPolicy(await open())
    const { replay } = world.policy.replays
    const invalid = await replay(asking(world, folderOf('permit (principal, action, resource) when { context.x };')))
    expect(invalid).toMatchObject({
      code: 'policy.replay-invalid',
      says: expect.stringContaining('tried.cedar:1: ') as unknown,
    })
    expect(codeOf(await replay(asking(world, folderOf('permit (')))).startsWith('policy.')).toBe(true)
    const odd = { files: [{ path: 'roles/x.yaml', text: 'grants: 7' }], isPruning: false }
    expect(codeOf(await replay(asking(world, odd)))).toBe('policy.folder-invalid')
    expect(await replay(asking(world, { draft: 'never' }))).toMatchObject({
      code: 'policy.draft-unknown',
      says: expect.stringContaining('never') as unknown,
    })
    expect(await all(await replay(asking(world, folderOf(using))))).toHaveLength(1)
  })

  test('one replay runs on a node: the next is refused until it has ended, was stopped or given up', async () => {
    const world = await openPolicy(await open())
    for (let at = 0; at < 3; at += 1) await recordDenied(world)
    const { replay } = world.policy.replays
    const policy = folderOf(opening + using)
    const running = got(await replay(asking(world, policy)))
    await running.next()
    expect(await replay(asking(world, policy))).toMatchObject({ code: 'policy.replay-running', status: 409 })
    await running.return()
    const [entry] = await world.ledger.read({ event: 'calls.replayed' })
    expect(entry?.details).toMatchObject({ ended: 'stopped' })

    const stop = new AbortController()
    const stopped = got(await replay(asking(world, policy, stop)))
    await stopped.next()
    stop.abort()
    expect(await all(stopped)).toMatchObject([{ kind: 'summary', ended: 'stopped', counts: { calls: 1 } }])

    const never = new AbortController()
    got(await replay(asking(world, policy, never)))
    expect(codeOf(await replay(asking(world, policy)))).toBe('policy.replay-running')
    never.abort()
    const last = got(await replay(asking(world, policy)))
    // WHY: one that ended before another began does not end that one.
    stop.abort()
    await stopped.return()
    expect(codeOf(await replay(asking(world, policy)))).toBe('policy.replay-running')
    expect(await all(last)).toHaveLength(4)
    expect(codeOf(await replay(asking(world, policy)))).toBe('answered')
  })

  test('a replay that cannot be read is no replay that runs', async () => {
    const world = await openPolicy(await open())
    await world.database.close()
    const { replay } = world.policy.replays
    for (let at = 0; at < 2; at += 1)
      await expect(replay(asking(world, folderOf(using)))).rejects.not.toMatchObject({ kind: 'refusal' })
  })

  test('a call is explained by the rules of then and by those in force, from its number, its end or its exchange', async () => {
    const world = await openPolicy(await open())
    const { policy, ledger } = world
    const seq = await recordDenied(world)
    const end = await ledger.append(completed, { outcome: 'failed', principal: ben, exchange: 'x-denied' })
    const then = policy.snapshot().version
    const version = await publish(world, using + opening + amounts)
    const explained = got(await policy.replays.explainCall(String(seq)))
    expect(explained).toMatchObject({
      entry: { seq },
      wasAllowed: false,
      snapshot: then,
      recorded: [{ rule: 'not-granted', says: 'nothing grants it', place: 'x:1', inputs: { amount: 1 } }],
      past: [
        { isAllowed: false, mayDepend: false, snapshotVersion: then, rules: [{ rule: 'not-granted' }], remedies: [] },
      ],
      inForce: [
        { isAllowed: true, snapshotVersion: version, rules: [{ rule: 'tried.cedar#use' }] },
        { isAllowed: true, rules: [{ rule: 'tried.cedar#open', effect: 'permit', place: 'tried.cedar:3' }] },
      ],
    })
    expect(explained.recorded).toHaveLength(1)
    expect(explained).not.toHaveProperty('refusedBy')
    for (const named of [String(end.seq), 'x-denied']) {
      expect(got(await policy.replays.explainCall(named)).entry.seq).toBe(seq)
    }
    const outside = await ledger.append(completed, { outcome: 'succeeded', principal: ben })
    for (const named of ['0', '-1', '999', '9'.repeat(16), 'never', '', String(outside.seq)]) {
      expect(await policy.replays.explainCall(named), named).toMatchObject({
        code: 'policy.entry-unknown',
        says: `the ledger holds no decision about a call under \`${named}\``,
      })
    }
  })

  test('a rule in an explanation is shown with its place, its text and what it read', async () => {
    const world = await openPolicy(await open())
    const version = await publish(world, using + opening + amounts)
    const principal = principalOf('p-ben', 'ben', 'clerk')
    const question = { principal, permission: 'tools:call', target: echo } as const
    const explain = (amount?: number) =>
      world.policy.replays.explain({
        ...question,
        circumstances: amount === undefined ? {} : { callArguments: { amount } },
      })
    expect(explain(11)).toMatchObject({
      isAllowed: false,
      mayDepend: false,
      remedies: [],
      snapshotVersion: version,
      rules: [
        {
          rule: 'tried.cedar#small',
          effect: 'forbid',
          place: 'tried.cedar:5',
          text: expect.stringContaining('getTag("amount") > 10') as unknown,
          inputs: { 'context.numbers["amount"]': 11 },
        },
      ],
    })
    expect(explain(10)).toMatchObject({ isAllowed: true, rules: [{ rule: 'tried.cedar#open', effect: 'permit' }] })
    expect(explain()).toMatchObject({ isAllowed: false, mayDepend: true })
    const server = { upstream: 'books\u0000', kind: 'server' } as const
    const unreadable = world.policy.replays.explain({
      principal,
      permission: 'tools:call',
      target: server,
      circumstances: {},
    })
    expect(unreadable.isAllowed).toBe(false)
    for (const rule of unreadable.rules) expect(Object.keys(rule)).toEqual(['rule', 'says'])
  })

  test('what is missing is said to be missing, and who refused it where it was not policy', async () => {
    const world = await openPolicy(await open())
    const { policy } = world
    const explain = async (more: object): Promise<ExplainedCall> =>
      got(await policy.replays.explainCall(String(await recordDenied(world, more))))
    expect(await explain({ judged: undefined })).toMatchObject({ past: 'not-recorded', inForce: 'not-recorded' })
    expect(await explain({ judged: { roles: ['ann@example.com'] } })).toMatchObject({
      past: 'masked',
      inForce: 'masked',
    })
    expect(await explain({ snapshot: 999 })).toMatchObject({
      past: 'snapshot-unreadable',
      inForce: [{ isAllowed: false }],
    })
    const held = await explain({ guard: 'refuse-held' })
    expect(held).toMatchObject({ refusedBy: 'refuse-held', wasAllowed: false, past: [{ isAllowed: false }] })
    expect(await explain({ guard: 'refuse-held', judged: undefined })).toMatchObject({ refusedBy: 'refuse-held' })
    expect(await explain({ guard: 7 })).not.toHaveProperty('refusedBy')
    expect((await explain({ reasons: undefined, rules: ['a', 'b'] })).recorded).toEqual([
      { rule: 'a', says: '' },
      { rule: 'b', says: '' },
    ])
    expect((await explain({ reasons: [{ rule: 1, says: 2, place: 3, inputs: 4 }] })).recorded).toEqual([
      { rule: '1', says: '2' },
    ])
  })

  test('what rests on masked arguments goes on to what else the call needed, and a denial ends the explanation', async () => {
    const world = await openPolicy(await open())
    const also = [
      { kind: 'resource', permission: 'resources:read', name: 'r' },
      { kind: 'server', permission: 'roots:share' },
    ]
    const version = await publish(world, using + opening + amounts)
    const details = {
      snapshot: version,
      judged: { also },
      parameters: { arguments: { amount: 4_111_111_111_111_111 } },
    }
    const { past, inForce } = got(await world.policy.replays.explainCall(String(await recordDenied(world, details))))
    expect(past).toEqual(inForce)
    expect(past).toMatchObject([
      { isAllowed: true },
      { isAllowed: false, mayDepend: true, rules: [{ rule: 'tried.cedar#small' }] },
      { isAllowed: false, mayDepend: false, rules: [{ rule: 'not-granted' }] },
    ])
    expect(past).toHaveLength(3)
  })

  test('an allowed call is explained as one', async () => {
    const world = await openPolicy(await open())
    const version = await publish(world, using + opening)
    const details = { method: 'tools/call', judged: {}, snapshot: version, rules: ['tried.cedar#open'] }
    const { seq } = await world.ledger.append(intended, { outcome: 'intended', principal: ben, target: echo, details })
    expect(await world.policy.replays.explainCall(String(seq))).toMatchObject({
      wasAllowed: true,
      recorded: [{ rule: 'tried.cedar#open', says: '' }],
      past: [{ isAllowed: true }, { isAllowed: true }],
    })
  })
})
