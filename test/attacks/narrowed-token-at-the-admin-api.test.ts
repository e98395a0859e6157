/**
 * Mallory has got hold of what programs of Ana, an administrator, act with: an access token for one server, one for all of
 * them, a token of an OAuth client, one that was exchanged, a token of a directory and of a service account. She tries each
 * at every route of the admin API, to register and manage clients and to give herself roles. She has an account with a role
 * that lets her look at people, and its terminal. (ContextForge GHSA-gj7g-7r6g-jc8v, Pomerium CVE-2024-47616.)
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { obtainTokens } from '../world/oauth/client.ts'
import { signInTerminal } from '../world/oauth/terminal.ts'

interface Route {
  readonly method: string
  readonly path: string
}

/** Every route that needs somebody, from the document of the API. */
async function guardedRoutes({ adminUrl }: World): Promise<readonly Route[]> {
  const document = (await (await fetch(`${adminUrl}/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly security?: readonly unknown[] }>>>>
  }
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { security }]) => security?.length !== 0)
      .map(([method, _]) => ({ method: method.toUpperCase(), path: path.replaceAll(/\{[^}]+\}/g, 'ben') })),
  )
}

async function statusOf({ adminUrl }: World, { method, path }: Route, token: string): Promise<number> {
  const body = method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const at = path.startsWith('/api/v1') ? path : `/api/v1${path}`
  const answer = await fetch(`${adminUrl}${at}`, { method, headers, ...body })
  await answer.body?.cancel()
  return answer.status
}

async function made(answer: Promise<{ readonly status: number; readonly body: Record<string, unknown> }>) {
  const { status, body } = await answer
  expect([status, JSON.stringify(body)]).toEqual([201, JSON.stringify(body)])
  return body
}

async function narrowedTokens(world: World): Promise<Readonly<Record<string, string>>> {
  const { ana, gatewayUrl } = world
  const account = { name: 'night-shift', owner: 'ana', purpose: 'works at night', roles: [reader] }
  const { id } = (await made(ana.api('POST', '/service-accounts', account))) as { readonly id: string }
  const resource = `${gatewayUrl}/servers/books/mcp`
  const body = { label: 'nights', resource, ttlSeconds: 3_600 }
  const agent = await made(ana.api('POST', `/service-accounts/${id}/tokens`, body))
  const directory = await made(ana.api('POST', '/scim-connections', { name: 'works', ttlSeconds: 86_400 }))
  return {
    'for one server': await ana.mint('books'),
    'for all servers': await ana.mint('/mcp'),
    'of a client': (await obtainTokens(gatewayUrl, ana)).accessToken,
    'to refresh with': (await obtainTokens(gatewayUrl, ana)).refreshToken,
    'of a service account': String(agent['token']),
    'of a directory': String(directory['token']),
  }
}

proves(
  'TRM-2',
  'no token but that of a sign-in opens any route of the admin API, whoever it acts for',
  async () => {
    const world = await startWorld()
    const routes = await guardedRoutes(world)
    const before = world.books.arrived.length
    expect(routes.length).toBeGreaterThan(80)
    const tokens = await narrowedTokens(world)
    for (const [what, token] of Object.entries(tokens)) {
      expect([what, token.length > 40]).toEqual([what, true])
      for (const route of routes) expect([what, route, await statusOf(world, route, token)]).toEqual([what, route, 401])
    }
    expect(world.books.arrived).toHaveLength(before)
  },
  120_000,
)

proves(
  'TRM-2',
  'a role that looks at people changes nothing by any route, nor does its terminal',
  async () => {
    const world = await startWorld()
    const { ana } = world
    const grants = [{ permissions: ['people:read'], resources: ['*'] }]
    expect((await ana.api('PUT', '/roles/looker', { description: 'looks', grants })).status).toBe(200)
    const mallory = await world.join('mallory', ['looker'])
    await mallory.signIn()
    const { body: client } = await ana.api('POST', '/clients', {
      name: 'a client',
      redirectUris: ['https://a.example/cb'],
      grantTypes: ['authorization_code'],
    })
    const { id } = client['client'] as { readonly id: string }
    const terminal = await signInTerminal(world, mallory)
    for (const token of [mallory.sessionToken(), terminal.token]) {
      expect(await statusOf(world, { method: 'GET', path: '/clients' }, token)).toBe(200)
      for (const route of await guardedRoutes(world)) {
        if (route.method === 'GET' || /\/(?:me|account|tokens|sign-out)(?:\/|$)/.test(route.path)) continue
        const status = await statusOf(world, route, token)
        expect([route, [400, 403, 404].includes(status)]).toEqual([route, true])
      }
      for (const verb of ['block', 'approve']) {
        const answer = await statusOf(world, { method: 'POST', path: `/clients/${id}/${verb}` }, token)
        expect([verb, answer]).toEqual([verb, 403])
      }
    }
    const { body } = await ana.api('GET', '/clients')
    expect((body['items'] as { id: string; isBlocked: boolean }[]).find((one) => one.id === id)?.isBlocked).toBe(false)
    expect((await world.ledger('&event=admin.refused&person=mallory')).length).toBeGreaterThan(40)
  },
  120_000,
)
