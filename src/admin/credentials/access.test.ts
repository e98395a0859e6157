import { expect, test } from 'vitest'
import { reader, startWorld, type World } from '../../../test/world/castellan.ts'
import { obtainTokens } from '../../../test/world/oauth/client.ts'
import type { Person } from '../../../test/world/people.ts'

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }

interface Open {
  readonly id: string
  readonly resource?: string
}

async function openOf(person: Person, path: string): Promise<readonly Open[]> {
  const { status, body } = await person.api('GET', path)
  expect([path, status]).toEqual([path, 200])
  return body['items'] as Open[]
}

async function start(database: 'sqlite' | 'postgres') {
  const world = await startWorld({ database })
  const ben = await world.join('ben', [reader])
  await ben.signIn()
  const tokens = await obtainTokens(world.gatewayUrl, ben)
  const status = async (token: string) => (await world.post({ token, message: list })).status
  expect(await status(tokens.accessToken)).toBe(200)
  return { world, ben, ...tokens, status }
}

/** Somebody else's is told like one that never was, and goes on. */
async function mustBeUnknown(world: World, eve: Person, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const missing = path.replace(/[^/]+$/, crypto.randomUUID())
    const [theirs, nobodys] = [await eve.api('DELETE', path), await eve.api('DELETE', missing)]
    expect([path, theirs.status]).toEqual([path, 404])
    expect({ ...theirs.body, request_id: '' }).toEqual({ ...nobodys.body, request_id: '' })
  }
  for (const path of ['/people/ben/sessions', '/people/ben/grants', '/grants', '/tokens?all'])
    expect([path, (await eve.api('GET', path)).body['code']]).toEqual([path, 'admin.not-permitted'])
  expect(world.gatewayUrl).toContain('http')
}

test.each(['sqlite', 'postgres'] as const)(
  'sessions, tokens, grants and clients are listed and ended by their person (%s)',
  { timeout: 60_000 },
  async (database) => {
    const { world, ben, accessToken, status, clientId } = await start(database)
    const eve = await world.join('eve', [])
    const [grant] = await openOf(ben, '/me/grants')
    expect(grant).toMatchObject({ clientId, clientName: 'Test client', scopes: ['mcp'] })
    const own = await ben.mint('books')
    const [token] = await openOf(ben, '/tokens')
    const [session] = await openOf(ben, '/me/sessions')
    const ids = [`/me/grants/${grant?.id}`, `/tokens/${token?.id}`, `/me/sessions/${session?.id}`]
    await mustBeUnknown(world, eve, ids)

    expect((await ben.api('DELETE', `/me/grants/${grant?.id}`)).status).toBe(200)
    expect(await status(accessToken)).toBe(401)
    expect(await openOf(ben, '/me/grants')).toEqual([])
    expect((await ben.api('DELETE', `/tokens/${token?.id}`)).status).toBe(200)
    expect(await status(own)).toBe(401)
    expect((await ben.api('DELETE', `/me/sessions/${session?.id}`)).status).toBe(200)
    const reasons = (await world.ledger('&event=grant.ended')).map(({ details }) => details?.['reason'])
    expect(reasons).toEqual(['taken back by its person'])
  },
)

test.each(['sqlite', 'postgres'] as const)(
  'sessions, tokens, grants and clients of anybody are listed and ended by an administrator (%s)',
  { timeout: 60_000 },
  async (database) => {
    const { world, ben, accessToken, clientId, status } = await start(database)
    const { ana } = world
    const [grant] = await openOf(ana, '/people/ben/grants')
    expect(grant).toMatchObject({ clientId })
    expect((await openOf(ana, '/grants')).map(({ id }) => id)).toContain(grant?.id)
    expect((await ana.api('DELETE', `/people/ana/grants/${grant?.id}`)).status).toBe(404)
    expect((await ana.api('DELETE', `/people/ben/grants/${grant?.id}`)).status).toBe(200)
    expect(await status(accessToken)).toBe(401)
    expect((await ana.api('DELETE', `/people/ben/grants/${grant?.id}`)).status).toBe(404)

    const own = await ben.mint('books')
    const [token] = (await openOf(ana, '/tokens?all')).filter(({ resource }) =>
      resource?.endsWith('/servers/books/mcp'),
    )
    expect((await ana.api('DELETE', `/tokens/${token?.id}`)).status).toBe(200)
    expect(await status(own)).toBe(401)

    const sessions = await openOf(ana, '/people/ben/sessions')
    expect((await ana.api('DELETE', `/people/ana/sessions/${sessions[0]?.id}`)).status).toBe(404)
    for (const { id } of sessions) expect((await ana.api('DELETE', `/people/ben/sessions/${id}`)).status).toBe(200)
    expect(await openOf(ana, '/people/ben/sessions')).toEqual([])
    expect((await ben.api('GET', '/me')).status).toBe(401)

    await ben.signIn()
    const again = await obtainTokens(world.gatewayUrl, ben, { clientId })
    expect((await openOf(ana, '/clients')).map(({ id }) => id)).toContain(clientId)
    expect((await ana.api('POST', `/clients/${clientId}/block`)).status).toBe(200)
    expect(await status(again.accessToken)).toBe(401)
    expect(await openOf(ben, '/me/grants')).toEqual([])
    const ended = await world.ledger('&event=grant.ended')
    expect(ended.map(({ principal, details }) => [principal?.name, details?.['reason']])).toEqual([
      ['ana', 'ended by an administrator'],
    ])
  },
)
