/**
 * Ben and Mallory send requests with the same JSON-RPC id at the same time, and Mallory cancels "her" request 1, hoping
 * to be answered with Ben's result or to end his call.
 */
import { expect } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { callTool, initialize, listTools } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, type Asked, sendEvent, sendResult } from '../world/servers/lying-upstream.ts'

/** How long the gateway trusts what an upstream said its tools are. */
const definitionsFreshMs = 60_000

proves('SES-2', 'equal ids of two clients never meet: each gets its own answer, and cancels only its own', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const mallory = await world.join('mallory', [reader])
  const [benToken, malloryToken] = [await ben.mint('books'), await mallory.mint('books')]
  const echoes = Array.from({ length: 20 }, (_, index) => {
    const isBen = index % 2 === 0
    const text = `${isBen ? 'ben' : 'mallory'} ${index}`
    return world
      .post({ token: isBen ? benToken : malloryToken, message: callTool('echo', text, 1) })
      .then((answer) => [text, answer.body] as const)
  })
  for (const [text, body] of await Promise.all(echoes)) {
    expect(body['id']).toBe(1)
    expect(JSON.stringify(body)).toContain(text)
  }
  const sent = world.books.calls('tools/call').map(({ message }) => message?.id)
  expect(new Set(sent).size).toBe(20)

  const waiting = world.post({ token: benToken, message: callTool('slow', 'x', 1) })
  while (world.books.calls('tools/call').length < 21) await sleep(10)
  const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }
  expect((await world.post({ token: malloryToken, message: cancel })).status).toBe(202)
  expect(world.books.calls('notifications/cancelled')).toHaveLength(0)
  expect((await world.post({ token: benToken, message: cancel })).status).toBe(202)
  expect(world.books.calls('notifications/cancelled')[0]?.message?.params).toEqual({
    requestId: world.books.calls('tools/call').at(-1)?.message?.id,
  })
  world.books.finishSlow('done')
  expect(JSON.stringify((await waiting).body)).toContain('done')
  const slowOnes = async () => {
    const completed = await world.ledger('&event=call.completed')
    return completed.filter((entry) => entry.target?.name === 'slow')
  }
  // WHY: the answer is sent before its end is on record.
  await expect.poll(slowOnes).toHaveLength(1)
})

/** The answers to calls of the liar's tool are sent when the test says so, in the order it wants. */
async function startDelayed(world: World) {
  const liar = await addLyingUpstream(world)
  const waiting: Asked[] = []
  let opened = 0
  liar.answer = (asked) => {
    if (asked.method === 'initialize') asked.res.setHeader('mcp-session-id', `session-${(opened += 1)}`)
    if (asked.method === 'tools/call') waiting.push(asked)
    else if (asked.req.method !== 'GET') answerHonestly(asked)
    else {
      const data = String(asked.req.headers['mcp-session-id'])
      sendEvent(asked, { method: 'notifications/message', params: { level: 'info', data } })
      sendEvent(asked, { id: 1, result: { content: ['a stream answers nothing'] } })
      asked.res.end()
    }
  }
  const answerAll = (): void => {
    for (const asked of waiting.splice(0).toReversed()) {
      const text = JSON.stringify(asked.params['arguments'])
      if (!asked.res.destroyed) sendResult(asked, { content: [{ type: 'text', text }] })
    }
  }
  return { liar, waiting, answerAll }
}

proves(
  'SES-2',
  'clients and sessions with one id get their own answers, also when others break off at any time',
  async () => {
    const world = await startWorld()
    const { liar, waiting, answerAll } = await startDelayed(world)
    const grants = [{ permissions: ['servers:use', 'tools:call'], resources: ['liar', 'liar/tools/*'] }]
    await world.ana.api('PUT', '/roles/liar-user', { grants })
    const people = [await world.join('ben', ['liar-user']), await world.join('mallory', ['liar-user'])]
    const clients = []
    for (const person of people) {
      const token = await person.mint('liar')
      for (const which of ['first', 'second']) {
        const opened = await world.post({ token, upstream: 'liar', message: initialize })
        const headers = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
        clients.push({ name: `${person.name} ${which}`, token, headers })
      }
    }
    for (let round = 0; round < 5; round += 1) {
      const calls = clients.flatMap(({ name, token, headers }) =>
        [0, 1, 2].map((number) => {
          const leaves = new AbortController()
          const text = `${name} ${round} ${number}`
          const answer = world
            .post({ token, upstream: 'liar', headers, message: callTool('echo', text, 1), signal: leaves.signal })
            .then(
              ({ body }) => JSON.stringify(body),
              () => 'left',
            )
          return { text, answer, leaves, isLeaving: number === round % 3 }
        }),
      )
      await expect.poll(() => waiting.length).toBe(calls.length)
      for (const { leaves, isLeaving } of calls) if (isLeaving) leaves.abort()
      answerAll()
      for (const { text, answer, isLeaving } of calls) {
        expect(await answer).toContain(isLeaving ? 'left' : text)
      }
    }
    for (const [index, { token, headers }] of clients.entries()) {
      const stream = await fetch(`${world.gatewayUrl}/servers/liar/mcp`, {
        headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...headers },
      })
      const text = await stream.text()
      expect([...text.matchAll(/session-\d/g)].map(([session]) => session)).toEqual([`session-${index + 1}`])
      expect(text).not.toContain('answers nothing')
    }
    const ids = liar.of('tools/call').map(({ id }) => id)
    expect(new Set(ids).size).toBe(5 * clients.length * 3)
    const ended = async () =>
      (await world.ledger('&event=call.completed')).filter(({ target }) => target?.name === 'echo')
    await expect.poll(async () => (await ended()).length).toBe(ids.length)
  },
)

proves(
  'SES-2',
  'an upstream never sees one request id twice in a session, the questions of the gateway included',
  async () => {
    const world = await startWorld()
    const token = await world.ana.mint('books')
    const started = await world.post({ token, message: initialize })
    const headers = { 'mcp-session-id': started.headers.get('mcp-session-id') ?? '' }
    for (const text of ['first', 'second']) {
      expect((await world.post({ token, headers, message: callTool('echo', text, 1) })).status).toBe(200)
      expect((await world.post({ token, headers, message: { ...listTools, id: 1 } })).status).toBe(200)
      world.clock.advance(definitionsFreshMs)
    }
    const session = world.books.arrived.findLast(({ message }) => message?.method === 'tools/call')?.headers[
      'mcp-session-id'
    ]
    const inSession = world.books.arrived.filter(({ headers: sent }) => sent['mcp-session-id'] === session)
    const ids = inSession.flatMap(({ message }) => message?.id ?? [])
    expect(ids).toHaveLength(6)
    expect(new Set(ids).size).toBe(6)
    expect(await world.ledger('&event=definitions.checked')).toHaveLength(2)
  },
)
