import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { type AdminWorld, openAdminWorld } from '../../test/world/admin.ts'

/** Sends bytes as they are, because `fetch` refuses to lie about Host and Origin. */
function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

function get(world: AdminWorld, path: string, headers: Record<string, string>): Promise<string> {
  const lines = { host: `localhost:${world.port}`, connection: 'close', ...headers }
  const text = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`)
  return sendRaw(world.port, `GET ${path} HTTP/1.1\r\n${text.join('')}\r\n`)
}

function statusOf(answer: string): number {
  return Number(answer.split(' ')[1])
}

describe('where a request may come from', () => {
  const hosts = [
    ['localhost:PORT', 200],
    ['LOCALHOST:PORT', 200],
    ['127.0.0.1:PORT', 200],
    ['[::1]:PORT', 200],
    ['castle.test', 200],
    ['CASTLE.test.:443', 200],
    ['castle.test:8091', 403],
    ['localhost', 403],
    ['localhost:1', 403],
    ['evil.test', 403],
    ['evil.test:PORT', 403],
    ['localhost.evil.test:PORT', 403],
    ['127.0.0.1.evil.test:PORT', 403],
    ['localhost:PORT.evil.test', 403],
    ['localhost:PORT@evil.test', 403],
  ] as const

  test('only hosts that are this listener are answered', async () => {
    const world = await openAdminWorld()
    const seen = hosts.map(async ([host]) => {
      const answer = await get(world, '/openapi.json', { host: host.replace('PORT', String(world.port)) })
      return [host, statusOf(answer)]
    })
    expect(await Promise.all(seen)).toEqual(hosts)
  })

  const origins = [
    ['http://localhost:PORT', 200],
    ['http://127.0.0.1:PORT', 200],
    ['http://[::1]:PORT', 200],
    ['https://castle.test', 200],
    ['http://castle.test', 403],
    ['https://localhost:PORT', 403],
    ['http://localhost:3000', 403],
    ['https://evil.test', 403],
    ['null', 403],
    ['', 403],
  ] as const

  test('only the origin of this listener is answered', async () => {
    const world = await openAdminWorld()
    const seen = origins.map(async ([origin]) => {
      const answer = await get(world, '/openapi.json', { origin: origin.replace('PORT', String(world.port)) })
      return [origin, statusOf(answer)]
    })
    expect(await Promise.all(seen)).toEqual(origins)
  })

  const fetches = [
    ['/api/v1/me', 'cross-site', 'cors', 403],
    ['/api/v1/me', 'cross-site', 'navigate', 403],
    ['/api/v1/me', 'same-site', 'cors', 403],
    ['/api/v1/me', 'same-origin', 'cors', 401],
    ['/setup', 'cross-site', 'navigate', 200],
    ['/setup', 'cross-site', 'no-cors', 403],
    ['/setup', 'none', 'navigate', 200],
  ] as const

  test('another site reaches the page by a link and nothing else', async () => {
    const world = await openAdminWorld()
    const seen = fetches.map(async ([path, site, mode]) => {
      const answer = await get(world, path, { 'sec-fetch-site': site, 'sec-fetch-mode': mode })
      return [path, site, mode, statusOf(answer)]
    })
    expect(await Promise.all(seen)).toEqual(fetches)
  })

  test('a refused Host is in the ledger with the address of the socket', async () => {
    const world = await openAdminWorld()
    await get(world, '/api/v1/me', { host: 'evil.test', 'x-forwarded-for': '203.0.113.9' })
    const entries = await world.ledger.read({ refusal: 'admin.foreign-host' })
    expect(entries).toMatchObject([{ event: 'admin.refused', outcome: 'refused', address: '127.0.0.1' }])
  })
})

describe('bad input', () => {
  function signIn(world: AdminWorld, body: RequestInit['body'], headers: Record<string, string> = {}) {
    return fetch(`${world.adminUrl}/api/v1/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: body ?? null,
    })
  }

  const mistakes = [
    ['no JSON', 'name=ana', {}, 400, 'admin.not-json'],
    ['cut JSON', '{"name":', {}, 400, 'admin.not-json'],
    ['a body that is not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), {}, 400, 'admin.not-json'],
    ['a form', 'name=ana', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'admin.wrong-content-type'],
    ['text/plain', '{}', { 'content-type': 'text/plain' }, 415, 'admin.wrong-content-type'],
    ['another charset', '{}', { 'content-type': 'application/json; charset=utf-16' }, 415, 'admin.wrong-content-type'],
    ['a compressed body', '{}', { 'content-encoding': 'gzip' }, 415, 'admin.wrong-content-type'],
    ['an array', '[]', {}, 400, 'admin.invalid-request'],
    ['a null', 'null', {}, 400, 'admin.invalid-request'],
    ['a body that looks like a refusal', '{"kind":"refusal","status":200}', {}, 400, 'admin.invalid-request'],
    ['a prototype', '{"__proto__":{"name":"a"},"password":"b"}', {}, 400, 'admin.invalid-request'],
    ['an unknown field', '{"name":"a","password":"b","role":"admin"}', {}, 400, 'admin.invalid-request'],
    ['a wrong type', '{"name":["a"],"password":"b"}', {}, 400, 'admin.invalid-request'],
    ['too long a password', `{"name":"a","password":"${'x'.repeat(1025)}"}`, {}, 400, 'admin.invalid-request'],
  ] as const

  test('is answered with a problem that names the mistake and nothing from inside', async () => {
    const world = await openAdminWorld()
    for (const [title, body, headers, status, code] of mistakes) {
      const answer = await signIn(world, body, headers)
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      const problem = (await answer.json()) as Record<string, unknown>
      expect([title, answer.status, problem['status'], problem['code']]).toEqual([title, status, status, code])
      expect(problem).toMatchObject({ type: 'about:blank', request_id: answer.headers.get('x-request-id') })
      expect(problem['hint']).toBeTypeOf('string')
      expect(JSON.stringify(problem)).not.toMatch(/node_modules|at \w+ \(|Zod|TypeError/)
    }
  })

  test('wrong fields are named, and none of what was typed is repeated', async () => {
    const world = await openAdminWorld()
    const answer = await signIn(world, JSON.stringify({ name: 'ana', password: 7_777_777, code: { deep: 'hunter2' } }))
    const text = await answer.text()
    expect(JSON.parse(text)).toMatchObject({ errors: [{ pointer: '#/body/password' }, { pointer: '#/body/code' }] })
    expect(text).not.toMatch(/7777777|hunter2/)
  })

  test('a repeated query parameter and an unknown one are refused', async () => {
    const world = await openAdminWorld()
    const admin = await world.enrolAdmin()
    for (const query of ['limit=1&limit=2', 'sort=seq', '__proto__=1']) {
      const { status, body } = await admin.api('GET', `/audit?${query}`)
      expect([status, body['code']]).toEqual([400, 'admin.invalid-request'])
    }
  })

  test('a body of 65536 bytes is read and one byte more is refused, declared or not', async () => {
    const world = await openAdminWorld()
    const frame = '{"name":"a","password":"b"}'
    const atLimit = frame + ' '.repeat(65_536 - frame.length)
    expect((await signIn(world, atLimit)).status).toBe(401)
    const declared = await signIn(world, `${atLimit} `)
    expect([declared.status, await declared.json()]).toMatchObject([413, { code: 'admin.body-too-large' }])
    const chunks = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(`${atLimit} `))
        controller.close()
      },
    })
    const streamed = await fetch(`${world.adminUrl}/api/v1/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: chunks,
      duplex: 'half',
    })
    expect(streamed.status).toBe(413)
  })

  test("a stranger's body is not read on a route that needs a session", async () => {
    const world = await openAdminWorld()
    const answer = await fetch(`${world.adminUrl}/api/v1/people`, { method: 'POST', body: 'x'.repeat(70_000) })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
  })

  test('an unknown path and a wrong method are problems too', async () => {
    const world = await openAdminWorld()
    const unknown = await fetch(`${world.adminUrl}/api/v1/nothing`)
    expect([unknown.status, await unknown.json()]).toMatchObject([404, { code: 'admin.unknown-route' }])
    const wrong = await fetch(`${world.adminUrl}/api/v1/people`, { method: 'PATCH' })
    expect([wrong.status, await wrong.json()]).toMatchObject([405, { code: 'admin.method-not-allowed' }])
    expect(wrong.headers.get('allow')).toBe('GET, POST')
  })

  test('paths that climb out of the assets find nothing', async () => {
    const world = await openAdminWorld()
    for (const path of [
      '/assets/../page-files.ts',
      '/assets/%2e%2e/page-files.ts',
      '/assets/',
      '/assets/..%2fsetup.html',
    ]) {
      expect(statusOf(await get(world, path, {}))).toBe(404)
    }
  })
})

test('no answer is stored, sniffed, framed, shared or named to others', async () => {
  const world = await openAdminWorld()
  const paths = ['/livez', '/readyz', '/setup', '/assets/setup.js', '/openapi.json', '/api/v1/me', '/nothing', '/']
  for (const path of paths) {
    const { headers } = await fetch(`${world.adminUrl}${path}`, { redirect: 'manual' })
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'.*frame-ancestors 'none'/)
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/)
  }
})

test('the page may load its own files only, and no markup may be made from strings', async () => {
  const world = await openAdminWorld()
  const { headers } = await fetch(`${world.adminUrl}/setup`)
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  )
})

test('something that breaks is answered with a request id and nothing else, and recorded', async () => {
  const world = await openAdminWorld()
  const admin = await world.enrolAdmin()
  await world.database.close()
  const { status, body } = await admin.api('GET', '/people')
  expect([status, body['code']]).toEqual([500, 'admin.fault'])
  expect(Object.keys(body).sort()).toEqual(['code', 'hint', 'request_id', 'status', 'title', 'type'])
  expect(JSON.stringify(body)).not.toMatch(/sql|database|closed/i)
  const [entry] = await world.ledger.read({ event: 'admin.faulted' })
  expect(entry).toMatchObject({ outcome: 'failed', exchange: body['request_id'] })
})

test('without a ledger nothing is refused or done unrecorded: 503, and readiness says so', async () => {
  const world = await openAdminWorld()
  const admin = await world.enrolAdmin()
  expect((await fetch(`${world.adminUrl}/readyz`)).status).toBe(200)
  await world.ledger.close()
  const ready = await fetch(`${world.adminUrl}/readyz`)
  expect([ready.status, await ready.text()]).toEqual([503, 'no\n'])
  const stranger = await fetch(`${world.adminUrl}/api/v1/people`)
  expect([stranger.status, await stranger.json()]).toMatchObject([503, { code: 'admin.ledger-unavailable' }])
  expect(stranger.headers.get('retry-after')).toBe('5')
  const change = await admin.api('PUT', '/roles/reader', { grants: [] })
  expect([change.status, change.body['code']]).toEqual([503, 'admin.ledger-unavailable'])
})
