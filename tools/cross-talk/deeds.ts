/** What a client of the proof of cross-talk does: ordinary work, hanging up and coming back, and taking what is not its own. */
import type { Client } from './client.ts'
import { call, expectRefused, expectText, isPutOff } from './expect.ts'
import { cancelTask, listTasks, listen, readTask, stealTask } from './task-deeds.ts'

const marks = (client: Client): RegExp => new RegExp(`^mark-${client.options.person}-`)

async function echo(client: Client): Promise<void> {
  const mark = client.nextMark()
  expectText(client, await client.ask(call(client, 'echo')), mark)
}

async function steps(client: Client): Promise<void> {
  const mark = client.nextMark()
  expectText(client, await client.ask(call(client, 'steps')), mark)
}

/** WHY: where a server keeps one memory for all clients of a person, any mark of that person may come back. */
async function rememberAndRecall(client: Client): Promise<void> {
  const { lane } = client.options
  const { memory } = lane
  if (memory === 'none') return echo(client)
  const mark = client.nextMark()
  expectText(client, await client.ask(call(client, 'remember')), mark)
  if (lane.era === 'legacy' && client.session === undefined) return
  const allowed = memory === 'person' ? { allowed: marks(client) } : {}
  const reply = await client.ask(call(client, 'recall', allowed))
  if (memory === 'client') expectText(client, reply, mark)
}

async function askBack(client: Client): Promise<void> {
  const mark = client.nextMark()
  const first = await client.ask(call(client, 'ask'))
  if (client.options.lane.era === 'legacy') return expectText(client, first, `${mark}|${mark}`)
  const state = first.response?.result?.['requestState']
  if (typeof state !== 'string') return expectText(client, first, 'a request for input')
  client.requestState = state
  const key = Object.keys((first.response?.result?.['inputRequests'] ?? {}) as object)[0] ?? 'k'
  const inputResponses = { [key]: { action: 'accept', content: { said: mark } } }
  const params = { requestState: state, inputResponses }
  expectText(client, await client.ask(call(client, 'ask', { params })), `${mark}|${mark}`)
}

async function list(client: Client): Promise<void> {
  const { findings, lane } = client.options
  let cursor: unknown
  let pages = 0
  do {
    const reply = await client.ask({ method: 'resources/list', params: cursor === undefined ? {} : { cursor } })
    if (isPutOff(client, reply)) return
    if (reply.response?.result === undefined) {
      return findings.wrong(`${lane.name}: no list: ${reply.status} ${JSON.stringify(reply.response)}`)
    }
    pages += 1
    cursor = reply.response.result['nextCursor']
    if (typeof cursor === 'string') client.cursor = cursor
  } while (typeof cursor === 'string' && pages < 20)
  if (pages < 3) findings.wrong(`${lane.name}: ${pages} pages`)
}

/** Hangs up in the middle, and asks the same again under the same id. */
async function hangUp(client: Client): Promise<void> {
  const { random, findings } = client.options
  const mark = client.nextMark()
  const asking = call(client, random.oneIn(2) ? 'echo' : 'steps')
  findings.hungUp()
  const first = await client.ask({ ...asking, hangUpAfterMs: 1 + random.below(12) })
  if (first.status === 0) expectText(client, await client.ask(asking, true), mark)
}

const ordinary = [echo, echo, echo, steps, steps, rememberAndRecall, askBack, list, hangUp]
const withTasks = [...ordinary, readTask, readTask, readTask, listTasks, cancelTask, listen, listen]

/** One of the ordinary deeds. */
export async function work(client: Client): Promise<void> {
  const { lane, random } = client.options
  if (lane.era === 'legacy' && client.session === undefined) await client.open()
  await random.pick(lane.hasTasks ? withTasks : ordinary)(client)
}

/** Uses a handle that another person was given on the same way. */
export async function steal(thief: Client, victim: Client): Promise<void> {
  const { findings, lane, random } = thief.options
  findings.stole()
  thief.nextMark()
  if (victim.task !== undefined && lane.hasTasks && random.oneIn(2)) return stealTask(thief, victim.task)
  if (victim.session !== undefined) {
    expectRefused(thief, 'the session', await thief.ask({ ...call(thief, 'recall'), session: victim.session }))
    return
  }
  const isSealed = lane.memory === 'person' || lane.path === '/mcp'
  if (!isSealed) return
  if (victim.requestState !== undefined && lane.memory === 'person') {
    const params = { requestState: victim.requestState, inputResponses: { k: { action: 'accept', content: {} } } }
    expectRefused(thief, 'the state', await thief.ask(call(thief, 'ask', { params })))
  }
  if (victim.cursor !== undefined && lane.path === '/mcp') {
    const params = { cursor: victim.cursor }
    expectRefused(thief, 'the cursor', await thief.ask({ method: 'resources/list', params }))
  }
}
