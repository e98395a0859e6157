import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { createTestTerminal } from '../../../test/world/terminal.ts'
import { runCli } from '../run.ts'
import { findAuthorizationServer } from './authorization-server.ts'
import { currentSession } from './renew-session.ts'
import { openSessionStore } from './session-store.ts'

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'castellan-cli-'))
})
afterEach(() => rmSync(home, { recursive: true }))

type Answers = Readonly<Record<string, (fields: URLSearchParams) => readonly [status: number, body: object]>>

/** A listener that is admin API and authorization server in one, and what it was asked. */
async function startServer(answers: (url: string) => Answers) {
  const asked: { path: string; atMs: number; fields: URLSearchParams }[] = []
  const answer = async (req: IncomingMessage) => {
    const path = req.url ?? ''
    const fields = new URLSearchParams(await text(req))
    asked.push({ path, atMs: performance.now(), fields })
    return answers(url)[path]?.(fields) ?? ([404, {}] as const)
  }
  const server = createServer((req, res) => {
    void answer(req).then(([status, body]) => {
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://localhost:${(server.address() as AddressInfo).port}`
  return { url, askedAt: (path: string) => asked.filter((one) => one.path === path), close: () => server.close() }
}

const metadata = (url: string): Answers => ({
  '/.well-known/oauth-protected-resource': () => [200, { resource: url, authorization_servers: [url] }],
  '/.well-known/oauth-authorization-server': () => [
    200,
    {
      issuer: url,
      device_authorization_endpoint: `${url}/device`,
      token_endpoint: `${url}/token`,
      revocation_endpoint: `${url}/revoke`,
    },
  ],
})

const tokens = { access_token: 'coa_new', refresh_token: 'cor_new', expires_in: 900 }

test('at a terminal with somebody at it the browser is the way in, and a server that wants fewer questions gets them', async () => {
  const told = [{ error: 'authorization_pending' }, { error: 'slow_down' }, tokens]
  const { url, askedAt } = await startServer((at) => ({
    ...metadata(at),
    '/device': () => [
      200,
      { device_code: 'd', user_code: 'BCDF-GHJK', verification_uri: `${at}/go`, expires_in: 60, interval: 1 },
    ],
    '/token': () => {
      const body = told.shift() ?? {}
      return ['error' in body ? 400 : 200, body]
    },
    '/api/v1/me': () => [200, { person: { name: 'ana' } }],
  }))
  const terminal = createTestTerminal({ home, hasPerson: true })
  const up = () => Promise.reject(new Error('it is up'))
  expect(await runCli(['login', '--admin-url', url], { up, terminal }), terminal.err()).toBe(0)
  expect(terminal.err()).toContain('B C D F - G H J K')
  expect(terminal.err()).toContain(`${url}/go`)
  const [begun] = askedAt('/device')
  expect(Object.fromEntries(begun?.fields ?? [])).toEqual({
    client_id: 'castellan-cli',
    scope: 'castellan:admin',
    resource: url,
  })
  const [first, second, third] = askedAt('/token').map(({ atMs }) => atMs)
  expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(900)
  expect((third ?? 0) - (second ?? 0)).toBeGreaterThan(5_900)
  expect(openSessionStore(terminal).find(url)).toMatchObject({ token: 'coa_new', name: 'ana' })
}, 40_000)

test.each([
  ['another address than the one that was asked', { resource: 'https://castellan.example' }],
  ['a server that is not encrypted', { authorization_servers: ['http://castellan.example'] }],
  ['no server', { authorization_servers: [] }],
])('a listener that names %s is not signed in at', async (_title, wrong) => {
  const { url } = await startServer((at) => ({
    ...metadata(at),
    '/.well-known/oauth-protected-resource': () => [200, { resource: at, authorization_servers: [at], ...wrong }],
  }))
  await expect(findAuthorizationServer(url)).rejects.toMatchObject({ code: 'cli.no-browser-sign-in' })
})

test('an endpoint elsewhere is none', async () => {
  const { url } = await startServer((at) => ({
    ...metadata(at),
    '/.well-known/oauth-authorization-server': () => [
      200,
      { issuer: at, device_authorization_endpoint: 'https://elsewhere.example/device' },
    ],
  }))
  await expect(findAuthorizationServer(url)).rejects.toMatchObject({ code: 'cli.no-browser-sign-in' })
})

test('of many at the same moment one renews a sign-in, and all have the new token', async () => {
  const { url, askedAt } = await startServer(() => ({ '/token': () => [200, tokens] }))
  const terminal = createTestTerminal({ home, nowMs: 1_000_000 })
  const sessions = openSessionStore(terminal)
  const renewal = { refreshToken: 'cor_old', tokenEndpoint: `${url}/token`, revocationEndpoint: `${url}/revoke` }
  sessions.save(url, { token: 'coa_old', name: 'ana', expiresAt: 1_030_000, renewal })
  const all = await Promise.all(Array.from({ length: 8 }, () => currentSession({ sessions, terminal, adminUrl: url })))
  expect(all.map((one) => one?.token)).toEqual(Array(8).fill('coa_new'))
  expect(askedAt('/token').map(({ fields }) => fields.get('refresh_token'))).toEqual(['cor_old'])
  expect(sessions.find(url)?.renewal?.refreshToken).toBe('cor_new')
})

test('a token that is good for more than half a minute is not renewed', async () => {
  const terminal = createTestTerminal({ home, nowMs: 1_000_000 })
  const sessions = openSessionStore(terminal)
  const nowhere = 'http://localhost:1/none'
  const renewal = { refreshToken: 'cor_old', tokenEndpoint: nowhere, revocationEndpoint: nowhere }
  const adminUrl = 'http://localhost:8091'
  sessions.save(adminUrl, { token: 'coa_old', name: 'ana', expiresAt: 1_030_001, renewal })
  expect((await currentSession({ sessions, terminal, adminUrl }))?.token).toBe('coa_old')
  sessions.save(adminUrl, { token: 'coa_old', name: 'ana', expiresAt: 1_030_000, renewal })
  const away = currentSession({ sessions, terminal, adminUrl })
  await expect(away).rejects.toMatchObject({ code: 'cli.unreachable' })
  expect(sessions.find(adminUrl)?.token).toBe('coa_old')
})

test('a sign-in that the server has ended is forgotten', async () => {
  const { url } = await startServer(() => ({ '/token': () => [400, { error: 'invalid_grant' }] }))
  const terminal = createTestTerminal({ home, nowMs: 1_000_000 })
  const sessions = openSessionStore(terminal)
  const renewal = { refreshToken: 'cor_old', tokenEndpoint: `${url}/token`, revocationEndpoint: `${url}/revoke` }
  sessions.save(url, { token: 'coa_old', name: 'ana', expiresAt: 1, renewal })
  expect(await currentSession({ sessions, terminal, adminUrl: url })).toBeUndefined()
  expect(sessions.find(url)).toBeUndefined()
})
