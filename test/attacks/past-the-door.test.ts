/**
 * Seven ways past the door of another proxy (oauth2-proxy up to 7.15.1), each tried here on both listeners: a health
 * check's name, a header with another path, a fragment, a second @, a session chosen by the caller, a header written with
 * underscores, and an exception hidden in a query or in the spelling of a path.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { callAdmin } from '../world/people.ts'
import { send, type Sending } from '../world/edge/send.ts'
import { callTool, initialize } from '../world/messages.ts'
import { addLyingUpstream } from '../world/servers/lying-upstream.ts'

const types = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const call: Sending = {
  method: 'POST',
  path: '/servers/books/mcp',
  headers: types,
  body: JSON.stringify(callTool('echo')),
}
const people: Sending = { path: '/api/v1/people', headers: { accept: 'application/json' } }

function more(sending: Sending, headers: Record<string, string>): Sending {
  return { ...sending, headers: { ...sending.headers, ...headers } }
}

/** A stranger sends this to both listeners: nobody is told anything, and nothing reaches a server. */
async function expectClosed(world: World, toGateway: readonly Sending[], toAdmin: readonly Sending[]): Promise<void> {
  const before = world.books.arrived.length
  for (const [url, all] of [
    [world.gatewayUrl, toGateway],
    [world.adminUrl, toAdmin],
  ] as const) {
    for (const sending of all) {
      const { status, text } = await send(url, sending)
      expect([400, 401, 403, 404, 405], JSON.stringify(sending)).toContain(status)
      expect(text, JSON.stringify(sending)).not.toMatch(/"items"|"result"|echo|ana"/)
    }
  }
  expect(world.books.arrived).toHaveLength(before)
  const refused = await world.ledger('&event=call.refused')
  expect(refused.every(({ principal }) => principal === undefined)).toBe(true)
}

proves('AUT-7', 'no name of a health check is a pass', async () => {
  const world = await startWorld()
  const agents = [
    'kube-probe/1.33',
    'GoogleHC/1.0',
    'ELB-HealthChecker/2.0',
    'Amazon-Route53-Health-Check-Service',
    'castellan',
    '',
  ]
  const sent = (sending: Sending) =>
    agents.map((agent) => more(sending, { 'user-agent': agent, 'x-health-check': '1' }))
  await expectClosed(world, sent(call), sent(people))
  expect((await world.ledger('&event=call.refused')).length).toBeGreaterThanOrEqual(agents.length)
})

proves('AUT-7', 'no header names another path than the one that was asked for', async () => {
  const world = await startWorld()
  const paths = ['/livez', '/readyz', '/.well-known/oauth-protected-resource/servers/books/mcp', '/setup']
  const names = [
    'x-forwarded-uri',
    'x-original-url',
    'x-original-uri',
    'x-rewrite-url',
    'x-envoy-original-path',
    'x-forwarded-path',
    'x-forwarded-prefix',
    'x-http-method-override',
  ]
  const sent = (sending: Sending) => paths.flatMap((path) => names.map((name) => more(sending, { [name]: path })))
  await expectClosed(world, sent(call), sent(people))
  expect((await world.ledger('&event=call.refused')).length).toBeGreaterThanOrEqual(paths.length)
})

proves('AUT-7', 'no fragment, parameter, dot, slash or escape in a path is read as another path', async () => {
  const world = await startWorld()
  const open = ['livez', '.well-known/oauth-protected-resource/servers/books/mcp', 'setup', 'openapi.json']
  const spelt = (closed: string): string[] => [
    ...open.flatMap((path) => [
      `${closed}#/${path}`,
      `${closed}%23/${path}`,
      `${closed};/${path}`,
      `${closed}/;/${path}`,
      `${closed}?/${path}`,
      `${closed}?redirect=/${path}`,
      `/${path}/..${closed}`,
      `/${path}/%2e%2e${closed}`,
      `/${path}%2f..${closed}`,
      `/${path}/.%2e;${closed}`,
      `/${path}\\..${closed.replaceAll('/', '\\')}`,
    ]),
    `/${closed}`,
    `//x${closed}`,
    `/.${closed}`,
    `/./${closed}`,
    `${closed}/`,
    `${closed}//`,
    `${closed}%00`,
    `${closed}%20`,
    `${closed}.json`,
    closed.replace('/s', '/%73').replace('/p', '/%70'),
    closed.replaceAll('/', '%2f').replace('%2f', '/'),
    closed.toUpperCase(),
  ]
  const at = (sending: Sending) => spelt(sending.path ?? '').map((path) => ({ ...sending, path }))
  await expectClosed(world, at(call), at(people))
  expect((await world.ledger('&event=call.refused')).length).toBeGreaterThan(40)
})

proves('AUT-7', 'a token for one server reaches no other one, however its path is spelt', async () => {
  const world = await startWorld()
  const liar = await addLyingUpstream(world)
  const before = liar.bodies().length
  const headers = { ...types, authorization: `Bearer ${await world.ana.mint('books')}` }
  const paths = [
    '/servers/liar/mcp',
    '/servers/books/../liar/mcp',
    '/servers/books/mcp/../../liar/mcp',
    '/servers/liar%2fmcp',
    '/servers/books%2f..%2fliar/mcp',
    '/servers/books;/../liar/mcp',
    '/servers/liar/mcp?/servers/books/mcp',
    '//servers/liar/mcp',
    '/servers/liar/mcp#/servers/books/mcp',
    '/servers/LIAR/mcp',
    '/servers/liar/mcp/',
    '/servers/liar /mcp'.replace(' ', '%20'),
    '/servers/books/mcp@liar',
    '/servers/liar@books/mcp',
    '/servers/books,liar/mcp',
    '/servers/books%00liar/mcp',
  ]
  for (const path of paths) {
    const { status } = await send(world.gatewayUrl, { ...call, path, headers })
    expect([400, 401, 404], path).toContain(status)
  }
  expect(liar.bodies()).toHaveLength(before)
  expect((await world.ledger('&event=call.refused')).length).toBeGreaterThan(8)
})

proves(['AUT-7', 'NET-1'], 'a second @, or a name before one, makes no other host of ours', async () => {
  const world = await startWorld()
  const hostOf = (url: string) => new URL(url).host
  const spelt = (host: string) => [
    `evil@${host}`,
    `${host}@evil.example`,
    `a@b@${host}`,
    `${host}#@evil.example`,
    `${host}?@x`,
    `evil.example\\@${host}`,
    `${host}:@x`,
  ]
  const withHosts = (sending: Sending, url: string) =>
    spelt(hostOf(url)).flatMap((host) => [more(sending, { host }), more(sending, { origin: `http://${host}` })])
  await expectClosed(world, withHosts(call, world.gatewayUrl), withHosts(people, world.adminUrl))
  for (const url of [
    `http://user:pass@127.0.0.1:1/mcp`,
    'http://a@b@127.0.0.1:1/mcp',
    'http://127.0.0.1:1@evil.example/mcp',
  ]) {
    const added = await world.ana.api('POST', '/upstreams', { name: 'trick', url })
    expect(added.status, url).toBeGreaterThanOrEqual(400)
  }
  expect((await world.ledger('&event=call.refused')).length).toBeGreaterThan(0)
})

proves(['AUT-7', 'SES-1', 'SES-3'], "a session that the caller chose never becomes anybody's", async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const token = await ben.mint('books')
  const chosen = 'a-session-that-mallory-knows'
  const fixed = await world.post({ token, message: initialize, headers: { 'mcp-session-id': chosen } })
  expect(fixed.status).toBe(404)
  const opened = await world.post({
    token,
    message: initialize,
    headers: { cookie: `session=${chosen}; mcp-session-id=${chosen}` },
  })
  expect(opened.headers.get('mcp-session-id')).not.toContain(chosen)
  expect(opened.headers.get('set-cookie')).toBeNull()
  const before = ben.sessionToken()
  await ben.signIn()
  expect(ben.sessionToken()).not.toBe(before)
  const me = { method: 'GET', path: '/me' }
  for (const wrong of [chosen, `css_${'A'.repeat(43)}`, token]) {
    expect((await callAdmin(world.adminUrl, { ...me, token: wrong })).status).toBe(401)
  }
  const cookies = await send(world.adminUrl, {
    path: '/api/v1/me',
    headers: { cookie: `session=${ben.sessionToken()}` },
  })
  expect(cookies.status).toBe(401)
  expect(world.books.arrived.every(({ headers }) => headers['cookie'] === undefined)).toBe(true)
  expect(await world.ledger('&refusal=gateway.session-unknown')).toHaveLength(1)
})

proves(['AUT-7', 'NET-3'], 'a header with underscores is no other spelling of one with hyphens', async () => {
  const world = await startWorld({ env: { CASTELLAN_GATEWAY__TRUSTED_PROXIES: '127.0.0.0/8' } })
  const token = await world.ana.mint('books')
  const smuggled = {
    x_forwarded_for: '203.0.113.7',
    'x_forwarded-for': '203.0.113.8',
    x_forwarded_user: 'ana',
    x_auth_request_user: 'ana',
    proxy_authorization: `Bearer ${token}`,
    http_authorization: `Bearer ${token}`,
    x_authorization: `Bearer ${token}`,
    mcp_session_id: 'x',
    mcp_protocol_version: '2026-07-28',
  }
  await expectClosed(
    world,
    [more(call, smuggled)],
    [more(people, { ...smuggled, http_authorization: `Bearer ${world.ana.sessionToken()}` })],
  )
  const { status } = await send(world.gatewayUrl, more(call, { ...smuggled, authorization: `Bearer ${token}` }))
  expect(status).toBe(200)
  const arrived = world.books.calls('tools/call').at(-1)?.headers ?? {}
  expect(Object.keys(arrived).filter((name) => name.includes('_'))).toEqual([])
  // WHY: the answer is sent before its end is on record.
  await expect.poll(() => world.ledger('&event=call.completed')).toHaveLength(1)
  expect(JSON.stringify(await world.ledger())).not.toContain('203.0.113')
})
