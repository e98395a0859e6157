/**
 * The company's issuer is under somebody's hands: its metadata is that of another issuer, or names keys on another host, in
 * a file, behind a redirect; its key set is none. And a flood of invented key ids would have Castellan ask it without end.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { atEnd } from '../ending.ts'
import { proves } from '../proves.ts'
import { startIssuer } from '../world/issuers/issuer.ts'
import { startIssuerWorld } from '../world/issuers/world.ts'
import { callTool } from '../world/messages.ts'

proves(
  ['TOK-6', 'AUT-1', 'LED-3'],
  'keys from anywhere but the issuer itself are not fetched, and nothing passes',
  async () => {
    const world = await startIssuerWorld()
    const { issuer, resource, books } = world
    const elsewhere = await startIssuer()
    atEnd(() => elsewhere.close())
    elsewhere.keys = issuer.keys
    const before = books.arrived.length
    const metadata: Record<string, unknown>[] = [
      { issuer: elsewhere.issuer },
      { issuer: `${issuer.issuer}/` },
      ...[
        `${elsewhere.issuer}/keys`,
        'file:///etc/passwd',
        'data:application/json,{"keys":[]}',
        'javascript:alert(1)',
        '$(touch /tmp/x)',
      ].map((jwks_uri) => ({ jwks_uri })),
      { jwks_uri: `${issuer.issuer.replace('127.0.0.1', 'localhost')}/keys` },
      { jwks_uri: undefined },
    ]
    for (const told of metadata) {
      issuer.metadata = told
      const attacked = await world.post({ token: issuer.token(resource), message: callTool('echo') })
      expect([attacked.status, attacked.headers.has('www-authenticate')], JSON.stringify(told)).toEqual([503, false])
      expect(JSON.stringify(attacked.body)).not.toContain(elsewhere.issuer)
      world.clock.advance(10_000)
    }
    expect(elsewhere.asked).toEqual({ metadata: 0, keys: 0 })
    expect(books.arrived).toHaveLength(before)
    const refused = await world.ledger('&event=call.refused')
    expect(refused.map(({ refusal }) => refusal)).toEqual(metadata.map(() => 'identity.issuer-unreachable'))
    issuer.metadata = {}
    expect((await world.post({ token: issuer.token(resource), message: callTool('echo') })).status).toBe(200)
  },
)

proves(['TOK-6', 'UPS-3'], 'a redirect of the issuer is not followed, and what it sends is bounded', async () => {
  const inner = await startIssuer()
  let answer: 'redirect' | 'flood' | 'garbage' = 'redirect'
  const server = createServer((_req, res) => {
    if (answer === 'redirect') return void res.writeHead(302, { location: `${inner.issuer}/keys` }).end()
    res.writeHead(200, { 'content-type': 'application/json' })
    if (answer === 'garbage') return void res.end('{"keys":{"0":1}}')
    const flood = (): void => {
      while (!res.destroyed && res.write('x'.repeat(65_536)));
    }
    res.on('drain', flood)
    flood()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  atEnd(() => {
    inner.close()
    server.closeAllConnections()
    server.close()
  })
  const jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`
  const world = await startIssuerWorld({ jwksUri })
  for (const next of ['redirect', 'flood', 'garbage'] as const) {
    answer = next
    const attacked = await world.post({ token: world.issuer.token(world.resource), message: callTool('echo') })
    expect([next, attacked.status]).toEqual([next, 503])
    world.clock.advance(10_000)
  }
  expect(inner.asked.keys).toBe(0)
  expect(await world.ledger('&refusal=identity.issuer-unreachable')).toHaveLength(3)
})

proves(['TOK-6', 'LIM-1'], 'a flood of invented key ids reaches the issuer once in ten seconds', async () => {
  const world = await startIssuerWorld()
  const { issuer, resource } = world
  expect((await world.post({ token: issuer.token(resource), message: callTool('echo') })).status).toBe(200)
  const calls = world.books.calls('tools/call').length
  for (const expected of [1, 2]) {
    world.clock.advance(10_000)
    for (let wave = 0; wave < 5; wave += 1) {
      const flood = Array.from({ length: 40 }, (_, at) =>
        issuer.token(resource, {}, { kid: `${expected}-${wave}-${at}` }),
      )
      const answers = await Promise.all(flood.map((token) => world.post({ token, message: callTool('echo') })))
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
    }
    expect(issuer.asked.keys).toBe(1 + expected)
  }
  expect(world.books.calls('tools/call')).toHaveLength(calls)
  expect(await world.ledger('&refusal=identity.token-invalid')).toHaveLength(400)
})
