/** What a client of the proof of cross-talk does with calls that are answered later, in the design of its era. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, Hearing, Message, Reply } from './client.ts'
import { call, expectRefused, isPutOff } from './expect.ts'

interface Task {
  readonly taskId?: string
  readonly status?: string
  readonly result?: unknown
}

const mostPolls = 10
const stepMs = 5
/** News are awaited for so long; a stream that an earlier deed left is free again within that time, too. */
const patienceMs = 20_000
/** WHY: what a server asks on a stream that its client closes at that moment is lost with it, and so is the call. */
const closingMs = 250
const related = 'io.modelcontextprotocol/related-task'
const subscription = 'io.modelcontextprotocol/subscriptionId'
const news = new Set(['notifications/tasks', 'notifications/tasks/status'])

const isLegacy = ({ options }: Client): boolean => options.lane.era === 'legacy'

/** Asks about a task, which the mirrored header names. */
function about(client: Client, method: string, taskId: string): Promise<Reply> {
  return client.ask({ method, params: { taskId }, name: taskId })
}

/** @returns nothing to go on with */
function complain(client: Client, what: string, said: unknown): undefined {
  const { findings, lane } = client.options
  findings.wrong(`${lane.name}: ${what}: ${(JSON.stringify(said) ?? '').slice(0, 300)}`)
}

/** Makes a task of a new mark. @returns its handle; undefined when the client was put off or something was wrong */
async function make(client: Client): Promise<string | undefined> {
  client.nextMark()
  const params = isLegacy(client) ? { task: { ttl: 60_000 } } : {}
  const reply = await client.ask(call(client, 'later', { params }))
  if (isPutOff(client, reply)) return undefined
  const result = reply.response?.result
  const { taskId } = ((isLegacy(client) ? result?.['task'] : result) ?? {}) as Task
  if (typeof taskId !== 'string') return complain(client, 'no task', reply)
  client.task = taskId
  client.options.findings.made()
  return taskId
}

/** Looks until the task is done. @returns how it stands; undefined when the client was put off or something was wrong */
async function poll(client: Client, taskId: string): Promise<Task | undefined> {
  for (let polls = 0; polls < mostPolls; polls += 1) {
    const reply = await about(client, 'tasks/get', taskId)
    if (isPutOff(client, reply)) return undefined
    const task = reply.response?.result as Task | undefined
    if (task?.taskId !== taskId) return complain(client, `another task than ${taskId}`, reply)
    if (task.status !== 'working') return task
    await sleep(stepMs)
  }
  return complain(client, 'a task that is never done', taskId)
}

function expectResult(client: Client, result: unknown): void {
  const { content = [] } = (result ?? {}) as { content?: readonly { text?: string }[] }
  if (content[0]?.text !== client.mark) complain(client, `expected the result of ${client.mark}`, result)
}

/** Makes a task, waits until it is done, and reads its result. */
export async function readTask(client: Client): Promise<void> {
  const taskId = await make(client)
  const task = taskId === undefined ? undefined : await poll(client, taskId)
  if (taskId === undefined || task === undefined) return
  if (!isLegacy(client)) return expectResult(client, task.result)
  const reply = await about(client, 'tasks/result', taskId)
  if (isPutOff(client, reply)) return
  const result = reply.response?.result
  expectResult(client, result)
  const { [related]: meta } = (result?.['_meta'] ?? {}) as { [related]?: Task }
  if (meta?.taskId !== taskId) complain(client, `a result of another task than ${taskId}`, reply)
}

/** Makes a task and finds it among its own ones. */
export async function listTasks(client: Client): Promise<void> {
  // WHY: the design of 2026-07-28 has no lists of tasks.
  if (!isLegacy(client)) return readTask(client)
  const taskId = await make(client)
  if (taskId === undefined) return
  const reply = await client.ask({ method: 'tasks/list', params: {}, allowed: client.ownMarks })
  if (isPutOff(client, reply)) return
  const tasks = (reply.response?.result?.['tasks'] ?? []) as readonly Task[]
  if (!tasks.some((task) => task.taskId === taskId)) complain(client, `a list without ${taskId}`, reply)
}

export async function cancelTask(client: Client): Promise<void> {
  const taskId = await make(client)
  if (taskId === undefined) return
  const cancelled = await about(client, 'tasks/cancel', taskId)
  if (isPutOff(client, cancelled)) return
  const task = await poll(client, taskId)
  if (task !== undefined && task.status !== 'cancelled') complain(client, `${taskId} goes on`, task)
}

/** Opens a stream of news; another one that the client left a moment ago may still be in its place. */
async function hear(client: Client, taskId: string): Promise<Hearing | undefined> {
  const until = performance.now() + patienceMs
  for (;;) {
    const hearing = await client.listen({ taskIds: [taskId] })
    if (hearing.status === 200) return hearing
    await hearing.leave()
    if ([404, 429, 503].includes(hearing.status)) return undefined
    if (hearing.status !== 409 || performance.now() > until) return complain(client, 'no news', hearing.status)
    await sleep(stepMs)
  }
}

async function waitFor(isTrue: () => boolean): Promise<boolean> {
  const until = performance.now() + patienceMs
  while (!isTrue() && performance.now() < until) await sleep(stepMs)
  return isTrue()
}

/** What is told on a stream that somebody else's request opened. */
function isOfAnother({ params }: Message, { id }: Hearing): boolean {
  const { [subscription]: named } = (params?.['_meta'] ?? {}) as { [subscription]?: number }
  return id !== undefined && named !== id
}

/** Makes a task, listens, and hears that it is done; whatever else is heard is the client's own, too. */
export async function listen(client: Client): Promise<void> {
  const taskId = await make(client)
  if (taskId === undefined) return
  const told: Message[] = []
  client.onNews = (message) => told.push(message)
  const hearing = await hear(client, taskId)
  if (hearing === undefined) return
  const isDone = (message: Message): boolean =>
    message.params?.['taskId'] === taskId && JSON.stringify(message.params).includes(`"${client.mark}"`)
  const acknowledged = 'notifications/subscriptions/acknowledged'
  const isOpen = isLegacy(client) || (await waitFor(() => told.some(({ method }) => method === acknowledged)))
  if (isOpen && (await poll(client, taskId)) !== undefined) {
    if (await waitFor(() => told.some(isDone))) client.options.findings.heard()
    else if (client.session !== undefined || !isLegacy(client)) complain(client, `nothing was told of ${taskId}`, told)
  }
  await hearing.leave()
  if (isLegacy(client)) await sleep(closingMs)
  client.onNews = () => undefined
  if (!isOpen) complain(client, 'no acknowledgement', told)
  const foreign = told.filter((message) => news.has(message.method ?? '') && isOfAnother(message, hearing))
  if (foreign.length > 0) complain(client, 'news of another subscription', foreign)
}

/** Uses the handle of somebody else's task, or what their server calls it. */
export async function stealTask(thief: Client, handle: string): Promise<void> {
  const { random } = thief.options
  const taskId = random.oneIn(4) ? String(random.below(20)) : handle
  const methods = isLegacy(thief) ? ['tasks/get', 'tasks/result', 'tasks/cancel'] : ['tasks/get', 'tasks/cancel']
  expectRefused(thief, 'the task', await about(thief, random.pick(methods), taskId))
  if (isLegacy(thief)) return
  const params = { notifications: { taskIds: [taskId] } }
  const hangUpAfterMs = patienceMs
  expectRefused(thief, 'the news', await thief.ask({ method: 'subscriptions/listen', params, hangUpAfterMs }))
}
