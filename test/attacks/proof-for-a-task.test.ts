/**
 * A call of Ben's makes a task, and needs a fresh factor. His client follows the task for as long as it takes; whoever runs
 * the client wants a second task out of the same proof, with the same words, while the first is under way and after it.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { modern } from '../world/messages.ts'
import { createPageClient } from '../world/pages/page-client.ts'
import { addLyingUpstream, answerHonestly, type Asked, sendResult } from '../world/servers/lying-upstream.ts'
import { linkIn, pay, payModern, prove } from '../world/step-up/payments.ts'

type Json = Record<string, unknown>

/** A server that makes a task of each call, in the design that it is asked in. */
function serveTasks(asked: Asked): void {
  const { method, params } = asked
  const isModern = JSON.stringify(params).includes('2026-07-28')
  if (method === 'server/discover') {
    return sendResult(asked, { supportedVersions: ['2026-07-28', '2025-11-25'], capabilities: { tools: {} } })
  }
  const task = { taskId: 'task-of-the-server', status: 'working', createdAt: '2026-01-01T00:00:00Z', ttl: null }
  if (method === 'tools/call') return sendResult(asked, isModern ? { ...task, resultType: 'task' } : { task })
  if (method === 'tasks/result') return sendResult(asked, { content: [{ type: 'text', text: 'moved' }] })
  if (method?.startsWith('tasks/') === true) return sendResult(asked, { ...task, resultType: 'complete' })
  answerHonestly(asked)
}

async function start() {
  const world = await startWorld()
  const liar = await addLyingUpstream(world)
  liar.answer = serveTasks
  const grants = [
    { permissions: ['servers:use'], resources: ['liar'] },
    { permissions: ['tools:call'], resources: ['liar/tools/*'], stepUp: true },
  ]
  await world.ana.api('PUT', '/roles/liar-payer', { grants })
  const ben = await world.join('ben', ['liar-payer'])
  const browser = createPageClient(world.gatewayUrl)
  await browser.signIn(ben)
  const token = await ben.mint('liar')
  const send = (sent: { message: unknown; headers?: Record<string, string> }) =>
    world.post({ token, upstream: 'liar', ...sent })
  const about = (method: string, taskId: string, isModern: boolean) => {
    const plain = { jsonrpc: '2.0', id: 1, method, params: { taskId } }
    if (!isModern) return send({ message: plain })
    const { message, headers } = modern(plain)
    return send({ message, headers: { ...headers, 'mcp-name': taskId } })
  }
  return { world, liar, ben, browser, send, about }
}

const designs = [
  { design: '2025-11-25', isModern: false, polls: ['tasks/get', 'tasks/result', 'tasks/cancel'] },
  { design: '2026-07-28', isModern: true, polls: ['tasks/get', 'tasks/update', 'tasks/cancel'] },
] as const

for (const { design, isModern, polls } of designs) {
  proves('STU-1', `a proof makes one task, which is followed without another (${design})`, async () => {
    const { world, liar, ben, browser, send, about } = await start()
    const make = () => send(isModern ? payModern(10) : { message: pay(10, { task: {} }) })
    const path = linkIn(await make())
    expect(path).not.toBe('')
    expect(liar.of('tools/call')).toEqual([])
    expect(await prove(browser, ben, path)).toBe('Proved')
    const made = (await make()).body['result'] as Json
    const taskId = String(isModern ? made['taskId'] : (made['task'] as Json)['taskId'])
    expect(taskId.length).toBeGreaterThan(20)
    for (const method of ['tasks/get', ...polls]) {
      const answer = await about(method, taskId, isModern)
      expect([method, answer.status, Object.hasOwn(answer.body, 'result')]).toEqual([method, 200, true])
      expect(linkIn(await make())).not.toBe('')
    }
    expect(liar.of('tools/call')).toHaveLength(1)
    const next = linkIn(await make())
    expect(next).not.toBe(path)
    world.clock.advance(5 * 60_000)
    expect(await about('tasks/get', taskId, isModern)).toMatchObject({ status: 200, body: { result: {} } })
    expect(linkIn(await make())).not.toBe('')
    expect(liar.of('tools/call')).toHaveLength(1)
    const intents = await world.ledger('&event=call.intended')
    const passed = intents.filter(({ details }) => details?.['stepUp'] !== undefined)
    expect(passed.map(({ details }) => details)).toMatchObject([
      { method: 'tools/call', stepUp: { id: path.slice('/step-up/'.length), round: 0 } },
    ])
  })
}
