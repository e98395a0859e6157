/**
 * A client talks to two authorization servers; the attacker runs one of them and mixes up the answers. And a client that is
 * made to believe that its server speaks for another address: by the Host header, or by headers of a proxy.
 */
import { request } from 'node:http'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { authorizationRequest, register } from '../world/oauth/client.ts'
import { createVisitor } from '../world/oauth/visitor.ts'

proves('OAU-5', 'each answer names its issuer, errors too', async () => {
  const world = await startWorld()
  const { gatewayUrl } = world
  const clientId = String((await register(gatewayUrl)).body['client_id'])
  const asking = { clientId, resource: `${gatewayUrl}/servers/books/mcp` }
  const visitor = createVisitor(gatewayUrl)
  const yes = await visitor.decide(authorizationRequest(gatewayUrl, asking).address, world.ana)
  const no = await visitor.decide(authorizationRequest(gatewayUrl, asking).address, world.ana, 'deny')
  const wrong = await visitor.open(
    authorizationRequest(gatewayUrl, { ...asking, resource: 'https://elsewhere.example/mcp' }).address,
  )
  for (const answer of [yes, no, new URL(wrong.leftTo ?? '')]) expect(answer.searchParams.get('iss')).toBe(gatewayUrl)
  expect(new URL(wrong.leftTo ?? '').searchParams.get('error')).toBe('invalid_target')
})

proves('OAU-5', 'no header of a client changes an address in the metadata or in a redirect', async () => {
  const { gatewayUrl } = await startWorld()
  const { port } = new URL(gatewayUrl)
  const ask = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = {
        host: `127.0.0.1:${port}`,
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        'x-forwarded-for': '203.0.113.9',
        forwarded: 'host=evil.example;proto=https',
      }
      const sent = request({ host: '127.0.0.1', port, path, headers }, (response) => {
        let text = `${String(response.statusCode)} ${String(response.headers.location)} ${String(response.headers['set-cookie'])}`
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => resolve(text))
      })
      sent.on('error', reject)
      sent.end()
    })
  const clientId = String((await register(gatewayUrl)).body['client_id'])
  const { address } = authorizationRequest(gatewayUrl, { clientId, resource: `${gatewayUrl}/servers/books/mcp` })
  const { pathname, search } = new URL(address)
  for (const path of [
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
    pathname + search,
  ]) {
    const text = await ask(path)
    expect(text.slice(0, 3)).toMatch(/200|303/)
    expect(text).not.toContain('evil.example')
    expect(text).not.toContain('127.0.0.1:')
  }
})
