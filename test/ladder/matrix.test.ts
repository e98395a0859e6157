/** The table of statuses and codes of the protocol's reference, row by row, in both eras. */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { forAllTests } from '../ending.ts'
import { addLyingUpstream, answerHonestly, type Asked, sendEvent, sendResult } from '../world/servers/lying-upstream.ts'
import { expectRefused } from './expect-refused.ts'
import { type Era, goodBodiless, goodCall, goodPost, type Knock, openDoors, withHeaders } from './knock.ts'

const started = forAllTests(async () => {
  const doors = await openDoors()
  const liar = await addLyingUpstream(doors.world)
  return { doors, liar, liarToken: await doors.world.ana.mint('liar') }
})
const doors = () => started().doors
const eras: readonly Era[] = ['legacy', 'modern']

/** A call of the liar's tool, answered like this. */
async function callLiar(era: Era, answer: (asked: Asked) => void) {
  const { liar, liarToken } = started()
  liar.answer = (asked) => (asked.method === 'tools/call' ? answer(asked) : answerHonestly(asked))
  return doors().knock({ ...goodCall(era, liarToken), path: '/servers/liar/mcp' })
}

const sendError = ({ res, id }: Asked, error: object, status = 200): void => {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, error }))
}

test.each(eras)('a notification that is accepted: 202 and nothing else (%s)', async (era) => {
  const { tokens } = doors()
  const method = era === 'legacy' ? 'notifications/initialized' : 'notifications/cancelled'
  const params = era === 'legacy' ? {} : { requestId: 'nothing in flight' }
  const heard = await doors().knock(goodPost(era, tokens.ben, { jsonrpc: '2.0', method, params }))
  expect(heard).toMatchObject({ status: 202, text: '' })
  expect(heard.headers['content-type']).toBeUndefined()
})

test('a response that is accepted: 202 and nothing else (legacy)', async () => {
  const heard = await doors().knock(goodPost('legacy', doors().tokens.ben, { jsonrpc: '2.0', id: 'asked', result: {} }))
  expect(heard).toMatchObject({ status: 202, text: '' })
})

test('missing keys of the envelope: 400 and -32602 (modern); there are none before (legacy)', async () => {
  const { tokens } = doors()
  const bare = withHeaders(goodCall('legacy', tokens.ben), {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'echo',
  })
  await expectRefused(doors(), bare, { status: 400, code: -32602, id: 7 })
  expect((await doors().knock(goodCall('legacy', tokens.ben))).status).toBe(200)
})

test('a missing header: 400 and -32020 (modern); revision 2025-03-26 (legacy)', async () => {
  const { tokens, world } = doors()
  const modern = withHeaders(goodCall('modern', tokens.ben), { 'mcp-protocol-version': undefined })
  await expectRefused(doors(), modern, { status: 400, code: -32020, id: 7 })
  expect((await doors().knock(goodCall('legacy', tokens.ben))).status).toBe(200)
  const entries = await world.ledger('&event=call.intended')
  expect(entries.findLast(({ principal }) => principal?.name === 'ben')?.details).toMatchObject({
    version: '2025-03-26',
  })
})

test('an unsupported version: 400 and -32022 (modern), 400 (legacy), and a handshake may offer any (legacy)', async () => {
  const { tokens } = doors()
  const good = goodCall('modern', tokens.ben)
  const text = (knock: Knock): Knock => ({ ...knock, spell: (each) => each.replaceAll('2026-07-28', '2031-01-01') })
  await expectRefused(doors(), withHeaders(text(good), { 'mcp-protocol-version': '2031-01-01' }), {
    status: 400,
    code: -32022,
    id: 7,
  })
  const old = withHeaders(goodCall('legacy', tokens.ben), { 'mcp-protocol-version': '1999-01-01' })
  await expectRefused(doors(), old, { status: 400, code: -32600, id: 7 })
  const params = { protocolVersion: '1999-01-01', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
  const initialize = { jsonrpc: '2.0', id: 7, method: 'initialize', params }
  expect(await doors().knock(goodPost('legacy', tokens.ben, initialize))).toMatchObject({
    status: 200,
    json: { id: 7 },
  })
})

test('`initialize` under a modern header: 400 and -32020, since it belongs to the legacy era alone', async () => {
  const initialize = { jsonrpc: '2.0', id: 7, method: 'initialize', params: { protocolVersion: '2026-07-28' } }
  const knock = withHeaders(goodPost('legacy', doors().tokens.ben, initialize), {
    'mcp-protocol-version': '2026-07-28',
  })
  await expectRefused(doors(), knock, { status: 400, code: -32020, id: 7 })
})

test('a missing capability: the server says so, with 400 and -32021, and that passes (modern)', async () => {
  const data = { requiredCapabilities: { sampling: {} } }
  const heard = await callLiar('modern', (asked) =>
    sendError(asked, { code: -32021, message: 'no sampling', data }, 400),
  )
  expect(heard).toMatchObject({ status: 400, json: { id: 7, error: { code: -32021, data } } })
})

test.each(eras)('an unknown method: %s', async (era) => {
  const knock = goodPost(era, doors().tokens.ben, { jsonrpc: '2.0', id: 7, method: 'tools/forget', params: {} })
  const status = era === 'modern' ? 404 : 200
  await expectRefused(doors(), knock, { status, code: -32601, id: 7, refusal: 'gateway.method-unknown' })
})

test.each(eras)('an unknown tool: 200 and -32602 (%s)', async (era) => {
  const refusal = 'gateway.tool-not-approved'
  await expectRefused(doors(), goodCall(era, doors().tokens.ben, 'no_tool'), {
    status: 200,
    code: -32602,
    id: 7,
    refusal,
  })
})

test.each(eras)(
  'a bad cursor, a resource that is not there, a failed tool: the words of the server, 200 (%s)',
  async (era) => {
    for (const error of [
      { code: -32602, message: 'bad cursor' },
      { code: era === 'modern' ? -32602 : -32002, message: 'not found', data: { uri: 'test://none' } },
      { code: -32603, message: 'the handler failed' },
    ]) {
      expect(await callLiar(era, (asked) => sendError(asked, error))).toMatchObject({
        status: 200,
        json: { id: 7, error },
      })
    }
    const result = { content: [{ type: 'text', text: 'no such row' }], isError: true }
    const heard = await callLiar(era, (asked) => sendResult(asked, result))
    expect(heard).toMatchObject({ status: 200, json: { id: 7, result } })
  },
)

test.each(eras)(
  'an error of the server that names no request: under the id of the one that was sent (%s)',
  async (era) => {
    const error = { code: -32700, message: 'it could not be read' }
    for (const id of [null, undefined]) {
      expect(await callLiar(era, (asked) => sendError({ ...asked, id }, error))).toMatchObject({
        status: 200,
        json: { id: 7, error },
      })
    }
  },
)

test.each(['GET', 'DELETE'])('%s: 405 (modern); a stream, or the end of a session (legacy)', async (httpMethod) => {
  const good = goodBodiless(httpMethod, doors().tokens.ben)
  const headers = { allow: 'POST' }
  await expectRefused(doors(), withHeaders(good, { 'mcp-protocol-version': '2026-07-28' }), {
    status: 405,
    code: -32600,
    headers,
  })
  const heard = await doors().knock(withHeaders(good, { 'mcp-protocol-version': '2025-11-25' }))
  expect(heard.status).toBe(200)
  if (httpMethod === 'GET') expect(heard.headers['content-type']).toBe('text/event-stream')
})

test.each(['GET', 'DELETE'])('%s at a server that has no such method: its 405 passes (legacy)', async (httpMethod) => {
  const { liar, liarToken } = started()
  liar.answer = ({ res }) => void res.writeHead(405).end()
  const knock = { ...goodBodiless(httpMethod, liarToken), path: '/servers/liar/mcp' }
  expect((await doors().knock(knock)).status).toBe(405)
})

test('a session that is missing where the server asks for one: its 400 passes (legacy)', async () => {
  const error = { code: -32000, message: 'Bad Request: Mcp-Session-Id header is required' }
  const heard = await callLiar('legacy', (asked) => sendError({ ...asked, id: null }, error, 400))
  expect(heard).toMatchObject({ status: 400, json: { error } })
})

test('a session that is unknown: 404 on every method (legacy), ignored (modern)', async () => {
  const { tokens } = doors()
  const headers = { 'mcp-session-id': 'unknown' }
  for (const knock of [
    goodCall('legacy', tokens.ben),
    goodBodiless('GET', tokens.ben),
    goodBodiless('DELETE', tokens.ben),
  ]) {
    const id = knock.httpMethod === 'POST' ? { id: 7 } : {}
    const refusal = 'gateway.session-unknown'
    await expectRefused(doors(), withHeaders(knock, headers), { status: 404, code: -32600, ...id, refusal })
  }
  expect((await doors().knock(withHeaders(goodCall('modern', tokens.ben), headers))).status).toBe(200)
})

test.each(eras)('no token, a token that ran out, a token for another server: 401 (%s)', async (era) => {
  const { world, tokens } = doors()
  const expired = await world.ana.mint('books', 60)
  world.clock.advance(60_000)
  for (const [authorization, refusal] of [
    [undefined, 'gateway.token-missing'],
    [`Bearer ${expired}`, 'identity.token-expired'],
    [`Bearer ${started().liarToken}`, 'identity.token-invalid'],
  ] as const) {
    const headers = { 'www-authenticate': /^Bearer / }
    const knock = withHeaders(goodCall(era, tokens.ben), { authorization })
    await expectRefused(doors(), knock, { status: 401, code: 401, headers, refusal })
  }
})

test.each(eras)('a person without any role on the server: 404, as for a server that is not there (%s)', async (era) => {
  const refusal = 'gateway.server-unknown'
  await expectRefused(doors(), goodCall(era, doors().tokens.mallory), { status: 404, code: 404, id: 7, refusal })
})

test.each(eras)('a foreign Origin or Host: 403 (%s)', async (era) => {
  for (const [headers, refusal] of [
    [{ origin: 'https://evil.example' }, 'gateway.origin-not-allowed'],
    [{ host: 'evil.example' }, 'gateway.host-not-allowed'],
  ] as const) {
    const knock = withHeaders(goodCall(era, doors().tokens.ben), headers)
    await expectRefused(doors(), knock, { status: 403, code: 403, refusal })
  }
})

test.each(eras)(
  'a server that cannot be reached: 200 and -32603 under the id, 502 where nothing has an id (%s)',
  async (era) => {
    const { world } = doors()
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const { port } = closed.address() as AddressInfo
    await new Promise((resolve) => closed.close(resolve))
    const name = `gone-${era}`
    await world.ana.api('POST', '/upstreams', { name, url: `http://127.0.0.1:${port}/mcp` })
    const token = await world.ana.mint(name)
    const path = `/servers/${name}/mcp`
    const list = { jsonrpc: '2.0', id: 7, method: 'prompts/list', params: {} }
    const heard = await doors().knock({ ...goodPost(era, token, list), path })
    expect(heard).toMatchObject({ status: 200, json: { id: 7, error: { code: -32603 } } })
    if (era === 'legacy') expect((await doors().knock({ ...goodBodiless('GET', token), path })).status).toBe(502)
  },
)

test.each(eras)(
  'a server that fails while its answer streams: the error is in the stream, and 200 stays (%s)',
  async (era) => {
    const heard = await callLiar(era, (asked) => {
      sendEvent(asked, { method: 'notifications/progress', params: { progressToken: 1, progress: 1 } })
      asked.res.write('\n', () => asked.res.destroy())
    })
    expect(heard).toMatchObject({ status: 200, json: { id: 7, error: { code: -32603 } } })
    expect(heard.headers['content-type']).toBe('text/event-stream')
  },
)

test.each([429, 503])(
  'a %i of the server is told as what it is: it is busy, and when to come again',
  async (status) => {
    for (const era of eras) {
      const heard = await callLiar(era, ({ res }) => res.writeHead(status).end('internals'))
      expect(heard).toMatchObject({ status: 503, json: { id: 7, error: { data: { code: 'gateway.upstream-busy' } } } })
      expect(heard.headers['retry-after']).toBe('2')
      expect(JSON.stringify(heard)).not.toContain('internals')
    }
  },
)

test.each([401, 403, 500])(
  "a %i of the server is not the client's: it hears of a server that failed",
  async (status) => {
    for (const era of eras) {
      const heard = await callLiar(era, ({ res }) => {
        res
          .writeHead(status, { 'www-authenticate': 'Bearer resource_metadata="https://elsewhere.example"' })
          .end('internals')
      })
      expect(heard).toMatchObject({ status: 200, json: { id: 7, error: { code: -32603 } } })
      expect(JSON.stringify(heard)).not.toMatch(/elsewhere|internals/)
    }
  },
)
