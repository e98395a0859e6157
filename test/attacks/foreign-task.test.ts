/**
 * A task outlives the call that made it, and whoever has its id can read its result, feed it and stop it. Mallory, who
 * may use the same tool of the same server, has the id of Ben's task from a log, and the server's own id of it besides.
 * She tries both, and ids that she bends and invents, in both designs of tasks; the server would answer each of them.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, type Asked, sendEvent, sendResult } from '../world/servers/lying-upstream.ts'

type Answered = Awaited<ReturnType<World['post']>>

const related = 'io.modelcontextprotocol/related-task'
const aboutTasks = ['tasks/get', 'tasks/result', 'tasks/cancel', 'tasks/update', 'tasks/list']
const upstreamIds = ['server-task-1', 'server-task-2']

/** A server that knows its tasks by plain ids, and tells anybody of any. */
function serveTasks(asked: Asked): void {
  const { method, params } = asked
  const isModern = JSON.stringify(params).includes('2026-07-28')
  if (method === 'server/discover') {
    return sendResult(asked, { supportedVersions: ['2026-07-28', '2025-11-25'], capabilities: { tools: {} } })
  }
  const task = { taskId: String(params['taskId']), status: 'working', createdAt: '2026-01-01T00:00:00Z', ttl: null }
  if (method === 'tools/call') {
    const taskId = (params['arguments'] as { text: string }).text
    const made = { ...task, taskId }
    return sendResult(asked, isModern ? { ...made, resultType: 'task' } : { task: made })
  }
  if (method === 'tasks/list') return sendResult(asked, { tasks: upstreamIds.map((taskId) => ({ ...task, taskId })) })
  if (method === 'tasks/result')
    return sendResult(asked, { content: [], _meta: { [related]: { taskId: task.taskId } } })
  if (method?.startsWith('tasks/') === true) return sendResult(asked, { ...task, resultType: 'complete' })
  answerHonestly(asked)
}

async function start() {
  const world = await startWorld()
  const liar = await addLyingUpstream(world)
  liar.answer = serveTasks
  const grants = [{ permissions: ['servers:use', 'tools:call'], resources: ['liar', 'liar/tools/*'] }]
  await world.ana.api('PUT', '/roles/liar-user', { grants })
  const [ben, mallory] = [await world.join('ben', ['liar-user']), await world.join('mallory', ['liar-user'])]
  const tokens = { ben: await ben.mint('liar'), mallory: await mallory.mint('liar') }
  const ask = (token: string, method: string, params: Record<string, unknown> = {}): Promise<Answered> =>
    world.post({ token, upstream: 'liar', message: { jsonrpc: '2.0', id: 1, method, params } })
  const askModern = (token: string, method: string, params: Record<string, unknown> = {}): Promise<Answered> => {
    const { message, headers } = modern({ jsonrpc: '2.0', id: 1, method, params })
    const name = params['name'] ?? params['taskId']
    const named = typeof name === 'string' ? { 'mcp-name': name } : {}
    return world.post({ token, upstream: 'liar', message, headers: { ...headers, ...named } })
  }
  const make = async (token: string, upstreamId: string): Promise<string> => {
    const { body } = await ask(token, 'tools/call', { name: 'echo', arguments: { text: upstreamId }, task: {} })
    return String((body['result'] as { task: { taskId: unknown } }).task.taskId)
  }
  const reached = () => liar.bodies().filter((body) => aboutTasks.some((method) => body.includes(`"${method}"`)))
  return { world, liar, tokens, ask, askModern, make, reached }
}

const resultOf = ({ body }: Answered) => body['result'] as Record<string, unknown>

/** Other ids of about the same form. */
function bent(id: string): string[] {
  return [id.slice(0, -1), `${id}A`, id.slice(0, -2) + (id.endsWith('AA') ? 'BB' : 'AA'), upstreamIds[0] ?? '', '']
}

proves(['SES-6', 'LED-3'], "another person's task, bent and invented ids get one answer, in both designs", async () => {
  const { world, tokens, ask, askModern, make, reached } = await start()
  const id = await make(tokens.ben, 'server-task-1')
  expect(id).not.toContain('server-task')
  const seen = new Set<string>()
  for (const taskId of [id, ...bent(id)]) {
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      const { status, body } = await ask(tokens.mallory, method, { taskId })
      seen.add(JSON.stringify([status, { ...(body['error'] as object), data: undefined }]))
    }
    if (taskId === '') continue
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const { status, body } = await askModern(tokens.mallory, method, { taskId })
      seen.add(JSON.stringify([status, { ...(body['error'] as object), data: undefined }]))
    }
  }
  expect([...seen].map((each) => JSON.parse(each) as unknown)).toEqual([
    [200, { code: -32602, message: 'there is no such task' }],
  ])
  expect(reached()).toEqual([])
  const refused = await world.ledger('&refusal=gateway.task-unknown')
  expect(refused).toHaveLength(6 * 3 + 5 * 3)
  expect(new Set(refused.map((entry) => entry.principal?.name))).toEqual(new Set(['mallory']))
})

proves('SES-6', 'its own person reads, lists and cancels a task, under one id that the server never sees', async () => {
  const { world, tokens, ask, make, reached } = await start()
  const id = await make(tokens.ben, 'server-task-1')
  await make(tokens.mallory, 'server-task-2')
  expect(resultOf(await ask(tokens.ben, 'tasks/get', { taskId: id }))['taskId']).toBe(id)
  expect(resultOf(await ask(tokens.ben, 'tasks/result', { taskId: id }))['_meta']).toEqual({
    [related]: { taskId: id },
  })
  expect(resultOf(await ask(tokens.ben, 'tasks/cancel', { taskId: id }))['taskId']).toBe(id)
  const listed = resultOf(await ask(tokens.ben, 'tasks/list'))['tasks'] as { taskId: string }[]
  expect(listed.map(({ taskId }) => taskId)).toEqual([id])
  expect(reached()).toHaveLength(4)
  expect(reached().join()).not.toContain(id)
  const entries = await world.ledger('&event=call.intended')
  const methods = entries.filter(({ details }) => String(details?.['method']).startsWith('tasks/'))
  expect(methods.map(({ target }) => target?.name)).toEqual(['echo', 'echo', 'echo', undefined])
})

proves('SES-6', 'a task of 2026-07-28 is followed under its own id, which its header mirrors', async () => {
  const { liar, tokens, askModern } = await start()
  const made = await askModern(tokens.ben, 'tools/call', { name: 'echo', arguments: { text: 'server-task-1' } })
  const id = String(resultOf(made)['taskId'])
  expect(id).not.toBe('server-task-1')
  expect(resultOf(await askModern(tokens.ben, 'tasks/get', { taskId: id }))['taskId']).toBe(id)
  expect(liar.of('tasks/get').at(-1)?.req.headers['mcp-name']).toBe('server-task-1')
  const listen = { notifications: { taskIds: [id] } }
  liar.answer = (asked: Asked) => {
    if (asked.method !== 'subscriptions/listen') return serveTasks(asked)
    const notifications = { taskIds: ['server-task-2', 'server-task-1'] }
    sendEvent(asked, { method: 'notifications/subscriptions/acknowledged', params: { notifications } })
    for (const taskId of ['server-task-2', 'server-task-1'])
      sendEvent(asked, { method: 'notifications/tasks', params: { taskId } })
    sendEvent(asked, { id: asked.id, result: { resultType: 'complete' } })
    asked.res.end()
  }
  const { events } = await askModern(tokens.ben, 'subscriptions/listen', listen)
  expect(events[0]?.['params']).toMatchObject(listen)
  const told = events.slice(1).map((event) => (event['params'] as { taskId?: string } | undefined)?.taskId)
  expect(told).toEqual([id, undefined])
  expect(JSON.stringify(liar.of('subscriptions/listen').at(-1)?.params)).toContain('"taskIds":["server-task-1"]')
  expect((await askModern(tokens.mallory, 'subscriptions/listen', listen)).body).toMatchObject({
    error: { code: -32602 },
  })
})

proves(['SES-6', 'POL-3'], 'a task is out of reach once its tool is held or no longer granted', async () => {
  const { world, tokens, ask, make, reached } = await start()
  const id = await make(tokens.ben, 'server-task-1')
  const held = await world.ana.api('POST', '/holds', { kind: 'tool', subject: 'liar/echo', reason: 'incident' })
  expect((await ask(tokens.ben, 'tasks/result', { taskId: id })).status).toBe(403)
  await world.ana.api('DELETE', `/holds/${String(held.body['id'])}`)
  await world.ana.api('PUT', '/roles/liar-user', { grants: [{ permissions: ['servers:use'], resources: ['liar'] }] })
  expect((await ask(tokens.ben, 'tasks/result', { taskId: id })).body).toMatchObject({ error: { code: -32602 } })
  expect(reached()).toEqual([])
})

proves('SES-6', 'news of a task goes to the person who has it, an answer about another task to nobody', async () => {
  const { liar, tokens, ask, make } = await start()
  const id = await make(tokens.ben, 'server-task-1')
  liar.answer = (asked: Asked) => {
    if (asked.method !== 'tools/call')
      return asked.method === 'tasks/get' ? sendResult(asked, { taskId: 'server-task-2' }) : answerHonestly(asked)
    for (const taskId of ['server-task-2', 'server-task-1']) {
      sendEvent(asked, { method: 'notifications/tasks/status', params: { taskId, status: 'working' } })
    }
    sendEvent(asked, { id: asked.id, result: { content: [] } })
    asked.res.end()
  }
  const { events } = await ask(tokens.ben, 'tools/call', callTool('echo')['params'] as Record<string, unknown>)
  expect(events.map((event) => (event['params'] as { taskId?: string } | undefined)?.taskId)).toEqual([id, undefined])
  expect((await ask(tokens.ben, 'tasks/get', { taskId: id })).body).toMatchObject({ error: { code: -32603 } })
})

proves(
  'SES-6',
  'what a call says it belongs to is a task of its person, in the one form that every reader knows',
  async () => {
    const { world, liar, tokens, ask, make } = await start()
    const [mine, theirs] = [await make(tokens.ben, 'server-task-1'), await make(tokens.mallory, 'server-task-2')]
    const call = (meta: unknown) =>
      ask(tokens.ben, 'tools/call', { name: 'echo', arguments: {}, _meta: { [related]: meta } })
    const before = liar.of('tools/call').length
    const foreign = [
      { taskId: theirs },
      { taskId: 'server-task-2' },
      { taskId: 2 },
      { taskid: 'server-task-2' },
      { taskId: mine, TaskId: 'server-task-2' },
      { taskId: mine, 'task\u00adId': 'server-task-2' },
      { taskId: null },
      {},
      'server-task-2',
      ['server-task-2'],
      null,
    ]
    for (const meta of foreign) {
      const { body } = await call(meta)
      expect(body, JSON.stringify(meta)).toMatchObject({
        error: { code: -32602, data: { code: 'gateway.task-unknown' } },
      })
    }
    expect(liar.of('tools/call')).toHaveLength(before)
    expect(await world.ledger('&refusal=gateway.task-unknown')).toHaveLength(foreign.length)
    await call({ taskId: mine })
    expect(liar.of('tools/call').at(-1)?.params['_meta']).toEqual({ [related]: { taskId: 'server-task-1' } })
  },
)
