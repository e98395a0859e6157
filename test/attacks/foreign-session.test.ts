/**
 * A session id is sent with every request and a position with every resumed stream, so both end up in logs and in other
 * hands (CVE-2026-33946, CVE-2025-6515). Mallory tries those of Ben, Ben tries those of another server, of another
 * session of his, of one that has ended, and ids that they guess or bend, on every method that reads them.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool, initialize } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, type Asked, sendEvent, sendResult } from '../world/servers/lying-upstream.ts'
import { putBehind } from '../world/servers/peers.ts'
import { startSessionServer } from '../world/servers/session-server.ts'

const user = (server: string) => ({
  grants: [{ permissions: ['servers:use', 'tools:call'], resources: [server, `${server}/tools/*`] }],
})

type Told = Record<string, string>

function ask(world: World, server: string, token: string, method: string, told: Told): Promise<Response> {
  return fetch(`${world.gatewayUrl}/servers/${server}/mcp`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...told,
    },
    ...(method === 'POST' ? { body: JSON.stringify(callTool(server === 'sessions' ? 'hang_up' : 'echo')) } : {}),
  })
}

/** A server whose sessions are `session-1`, `session-2` …; each call is answered on a stream with a position of its own. */
async function startSessions() {
  const world = await startWorld()
  const liar = await addLyingUpstream(world)
  await world.ana.api('POST', '/upstreams', { name: 'twin', url: liar.url })
  await world.ana.api('POST', '/upstreams/twin/review', {})
  await world.ana.api('POST', '/upstreams/twin/tools/approve', { tools: 'all' })
  let sessions = 0
  liar.answer = (asked: Asked) => {
    if (asked.method === 'initialize') asked.res.setHeader('mcp-session-id', `session-${(sessions += 1)}`)
    if (asked.method === 'tools/call') sendEvent(asked, { id: asked.id, result: { content: [] } }, 'position-7')
    else if (asked.req.method === 'GET')
      sendEvent(asked, { method: 'notifications/message', params: { data: 'private' } })
    else if (asked.req.method === 'DELETE') sendResult(asked, {})
    else return answerHonestly(asked)
    asked.res.end()
  }
  for (const server of ['liar', 'twin']) await world.ana.api('PUT', `/roles/${server}-user`, user(server))
  const [ben, mallory] = [
    await world.join('ben', ['liar-user', 'twin-user']),
    await world.join('mallory', ['liar-user']),
  ]
  const tokens = { ben: await ben.mint('liar'), benAtTwin: await ben.mint('twin'), mallory: await mallory.mint('liar') }
  const open = async (server: string, token: string): Promise<Told> => {
    const { headers } = await world.post({ token, upstream: server, message: initialize })
    return { 'mcp-session-id': headers.get('mcp-session-id') ?? '' }
  }
  /** A position in a stream of this session, as its owner was given it. */
  const positionIn = async (token: string, session: Told): Promise<Told> => {
    const text = await (await ask(world, 'liar', token, 'POST', session)).text()
    return { ...session, 'last-event-id': /^id: (.+)$/m.exec(text)?.[1] ?? '' }
  }
  return { world, liar, tokens, open, positionIn }
}

/** Other ids of about the same form. */
function bent(id: string): string[] {
  const [algorithm = '', key = '', body = ''] = id.split('.')
  return [
    id.slice(0, -1),
    `${id}A`,
    id.slice(0, -2) + (id.endsWith('AA') ? 'BB' : 'AA'),
    id.toUpperCase(),
    `${algorithm}.${key}.${body.split('').toReversed().join('')}`,
    `${algorithm}..${body}`,
    `none.${key}.${body}`,
    `${id}, ${id}`,
    `${id};a=b`,
    'session-1',
    'session-3',
    '1',
    '',
    'x'.repeat(8_000),
  ]
}

proves(
  'SES-1',
  'a session of another person, of another server, bent or guessed opens nothing on any method',
  async () => {
    const { world, liar, tokens, open } = await startSessions()
    const own = await open('liar', tokens.ben)
    const atTwin = await open('twin', tokens.benAtTwin)
    const before = liar.of('tools/call').length + liar.resumedFrom().length
    const tries: [string, string][] = [
      [tokens.mallory, own['mcp-session-id'] ?? ''],
      [tokens.ben, atTwin['mcp-session-id'] ?? ''],
      ...bent(own['mcp-session-id'] ?? '').map((id): [string, string] => [tokens.ben, id]),
    ]
    const told = new Set<string>()
    const answers = tries.flatMap(([token, id]) =>
      ['POST', 'GET', 'DELETE'].map(async (method) => {
        const answer = await ask(world, 'liar', token, method, { 'mcp-session-id': id })
        expect(answer.status, `${method} ${id.slice(0, 80)}`).toBe(404)
        const { error } = (await answer.json()) as { error: { message: string; data: { code: string } } }
        told.add(`${error.message} ${error.data.code}`)
      }),
    )
    await Promise.all(answers)
    expect([...told]).toEqual(['no such session gateway.session-unknown'])
    expect(liar.of('tools/call').length + liar.resumedFrom().length).toBe(before)
    expect(await world.ledger('&refusal=gateway.session-unknown')).toHaveLength(tries.length * 3)
    expect((await ask(world, 'liar', tokens.ben, 'POST', own)).status).toBe(200)
    expect(liar.of('tools/call').at(-1)?.req.headers['mcp-session-id']).toBe('session-1')
  },
)

proves(
  ['SES-1', 'SES-2'],
  'a position opens for its owner in its session alone, and for nobody on any other method',
  async () => {
    const { world, liar, tokens, open, positionIn } = await startSessions()
    const [first, second] = [await open('liar', tokens.ben), await open('liar', tokens.ben)]
    const stolen = await open('liar', tokens.mallory)
    const position = await positionIn(tokens.ben, first)
    const without = await positionIn(tokens.ben, {})
    const id = position['last-event-id'] ?? ''
    expect(new Set([id, without['last-event-id'], '']).size).toBe(3)
    const tries: [string, Told][] = [
      [tokens.mallory, { 'last-event-id': id }],
      [tokens.mallory, { ...stolen, 'last-event-id': id }],
      [tokens.ben, { ...second, 'last-event-id': id }],
      [tokens.ben, { 'last-event-id': id }],
      [tokens.ben, { ...first, 'last-event-id': without['last-event-id'] ?? '' }],
      [tokens.ben, { ...first, 'last-event-id': first['mcp-session-id'] ?? '' }],
      ...bent(id).map((each): [string, Told] => [tokens.ben, { ...first, 'last-event-id': each }]),
    ]
    const before = liar.of('tools/call').length
    const answers = tries.flatMap(([token, told]) =>
      ['POST', 'GET', 'DELETE'].map(async (method) => {
        const answer = await ask(world, 'liar', token, method, told)
        expect(answer.status, `${method} ${told['last-event-id']?.slice(0, 80)}`).toBe(400)
        expect(await answer.text()).not.toContain('private')
      }),
    )
    await Promise.all(answers)
    expect(liar.resumedFrom()).toEqual([])
    expect(liar.of('tools/call')).toHaveLength(before)
    expect(await world.ledger('&refusal=gateway.event-unknown')).toHaveLength(tries.length * 3)
    expect(await (await ask(world, 'liar', tokens.ben, 'GET', position)).text()).toContain('private')
    expect(liar.resumedFrom()).toEqual(['position-7'])
  },
)

proves('SES-1', 'a session that has ended stays ended for its owner, too, on every method', async () => {
  const world = await startWorld()
  const server = await startSessionServer()
  const { token } = await putBehind(world.ana, 'sessions', { url: server.url })
  const open = async (): Promise<Told> => {
    const { headers } = await world.post({ token, upstream: 'sessions', message: initialize })
    return { 'mcp-session-id': headers.get('mcp-session-id') ?? '', 'mcp-protocol-version': '2025-11-25' }
  }
  const [left, expired] = [await open(), await open()]
  expect((await ask(world, 'sessions', token, 'DELETE', left)).status).toBe(200)
  for (const method of ['POST', 'GET', 'DELETE']) {
    expect((await ask(world, 'sessions', token, method, left)).status, method).toBe(404)
  }
  server.expire()
  for (const method of ['POST', 'GET', 'DELETE']) {
    expect((await ask(world, 'sessions', token, method, expired)).status, method).toBe(404)
  }
  expect(server.openSessions()).toBe(0)
  const ends = (await world.ledger()).filter(
    ({ event, target }) => event === 'call.completed' && target?.upstream === 'sessions',
  )
  expect(ends.length).toBeGreaterThan(0)
})
