/**
 * Mallory waits for the moment at which authentication itself breaks: the issuer is gone, the ledger cannot write, a table of
 * the database is not there. Products have let whoever came then in, as nobody in particular.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, vi } from 'vitest'
import { proves } from '../proves.ts'
import { startIssuerWorld, type IssuerWorld } from '../world/issuers/world.ts'
import { callTool, modern } from '../world/messages.ts'

async function statusesOf(world: IssuerWorld, token: string): Promise<number[]> {
  const url = `${world.gatewayUrl}/servers/books/mcp`
  const authorization = `Bearer ${token}`
  const newer = modern(callTool('echo') as never)
  const answers = await Promise.all([
    world.post({ token, message: callTool('echo') }),
    world.post({ token, message: newer.message, headers: newer.headers }),
    ...[
      { headers: { authorization, accept: 'text/event-stream' } },
      { method: 'DELETE', headers: { authorization, 'mcp-session-id': 'x' } },
    ].map((request) => fetch(url, request)),
  ])
  return answers.map(({ status }) => status)
}

proves(
  ['AUT-1', 'TOK-6'],
  'while authentication cannot be carried out nobody comes in, with whatever token',
  async () => {
    const world = await startIssuerWorld()
    const { issuer, resource, books } = world
    const before = books.arrived.length
    issuer.isDown = true
    expect(await statusesOf(world, issuer.token(resource))).toEqual([503, 503, 503, 503])
    issuer.isDown = false
    issuer.rawKeys = [{ kty: 'EC' }, 'nonsense', null]
    world.clock.advance(10_000)
    expect(await statusesOf(world, issuer.token(resource))).toEqual([401, 401, 401, 401])
    issuer.rawKeys = undefined
    world.clock.advance(10_000)

    const ledger = new DatabaseSync(join(world.dataDir, 'ledger.db'), { timeout: 5_000 })
    ledger.exec('BEGIN IMMEDIATE')
    for (const status of await statusesOf(world, issuer.token(resource))) expect(status).toBe(503)
    ledger.exec('ROLLBACK')
    ledger.close()
    await vi.waitFor(async () => expect((await fetch(`${world.adminUrl}/readyz`)).status).toBe(200), 10_000)
    const database = new DatabaseSync(join(world.dataDir, 'castellan.db'), { timeout: 5_000 })
    expect(database.prepare('select count(*) as count from external_subjects').get()).toEqual({ count: 0 })
    database.exec('alter table external_subjects rename to gone')
    for (const status of await statusesOf(world, issuer.token(resource))) expect(status).toBeGreaterThanOrEqual(500)
    expect(books.arrived).toHaveLength(before)

    database.exec('alter table gone rename to external_subjects')
    database.close()
    expect((await world.post({ token: issuer.token(resource), message: callTool('echo') })).status).toBe(200)
    const refused = new Set((await world.ledger('&event=call.refused')).map(({ refusal }) => refusal))
    expect(refused).toEqual(new Set(['identity.issuer-unreachable', 'identity.token-invalid', 'gateway.fault']))
  },
)
