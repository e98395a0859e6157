/**
 * The client id is an address that the authorization server fetches: the attacker names machines of the inner network, makes
 * a public name that resolves to one, redirects there, answers without end or never, or describes somebody else's client.
 * (ToolHive GHSA-3768-rwj3-38p2, oras-go GHSA-vh4v-2xq2-g5cg; the SSRF of MCP clients by metadata.)
 */
import { expect } from 'vitest'
import { createGuardedFetch } from '#platform/http'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { authorizationRequest, nativeRedirect, obtainTokens } from '../world/oauth/client.ts'
import { startDocumentServer } from '../world/oauth/document-server.ts'
import { createVisitor } from '../world/oauth/visitor.ts'

const loopbackAllowed = { CASTELLAN_OAUTH__METADATA_NETWORKS: '127.0.0.0/8,::1' }

function open(world: World, clientId: string, redirectUri = nativeRedirect) {
  const { gatewayUrl } = world
  const resource = `${gatewayUrl}/servers/books/mcp`
  return createVisitor(gatewayUrl).open(authorizationRequest(gatewayUrl, { clientId, resource, redirectUri }).address)
}

proves('OAU-8', 'a document inside is never asked for unless its network is configured', async () => {
  const server = await startDocumentServer((_req, res) => res.end('{}'))
  const world = await startWorld()
  const inside = [
    `${server.url}/client`,
    server.url.replace('localhost', '127.0.0.1'),
    server.url.replace('localhost', '127.1'),
    server.url.replace('localhost', '2130706433'),
    server.url.replace('localhost', '[::1]'),
    server.url.replace('localhost', '[::ffff:127.0.0.1]'),
    server.url.replace('localhost', '0.0.0.0'),
    'https://169.254.169.254/latest/meta-data',
    'https://10.0.0.1/client',
    'https://[fd00::1]/client',
  ]
  for (const clientId of inside) {
    const page = await open(world, clientId)
    expect([clientId, page.status, page.leftTo]).toEqual([clientId, 400, undefined])
  }
  expect(server.asked).toEqual([])
  expect((await world.ledger('&refusal=oauth.invalid_client')).length).toBe(inside.length)
})

proves(
  'OAU-8',
  'a document that redirects, never ends, says too much, or describes another client makes no client',
  async () => {
    const describe = (url: string, more: Record<string, unknown> = {}) =>
      JSON.stringify({
        client_id: url,
        client_name: 'Doc',
        redirect_uris: [nativeRedirect],
        token_endpoint_auth_method: 'none',
        ...more,
      })
    const server = await startDocumentServer((req, res, url) => {
      const own = `${url}${req.url}`
      res.setHeader('content-type', 'application/json')
      if (req.url === '/redirect') return res.writeHead(302, { location: `${url}/good` }).end()
      if (req.url === '/silent') return undefined
      if (req.url === '/large') return res.end(describe(own, { client_uri: `${url}/${'x'.repeat(6_000)}` }))
      if (req.url === '/other') return res.end(describe(`${url}/good`))
      if (req.url === '/secret') return res.end(describe(own, { client_secret: 'x' }))
      if (req.url === '/nameless') return res.end(describe(own, { client_name: '' }))
      if (req.url === '/own-grant')
        return res.end(describe(own, { grant_types: ['client_credentials'], response_types: [] }))
      if (req.url === '/plain-http') return res.end(describe(own, { redirect_uris: ['http://evil.example/'] }))
      return res.end(describe(own))
    })
    const world = await startWorld({ env: loopbackAllowed })
    for (const path of [
      '/redirect',
      '/silent',
      '/large',
      '/other',
      '/secret',
      '/nameless',
      '/own-grant',
      '/plain-http',
    ]) {
      const page = await open(world, `${server.url}${path}`)
      expect([path, page.status, page.leftTo]).toEqual([path, 400, undefined])
    }
    expect(server.asked).not.toContain('/good')
    const wrongRedirect = await open(world, `${server.url}/good`, 'https://evil.example/callback')
    expect([wrongRedirect.status, wrongRedirect.leftTo]).toEqual([400, undefined])

    const clientId = `${server.url}/good`
    const tokens = await obtainTokens(world.gatewayUrl, world.ana, { clientId })
    expect(tokens.clientId).toBe(clientId)
    const [client] = (await world.ana.api('GET', '/clients')).body['items'] as Record<string, unknown>[]
    expect(client).toMatchObject({ id: clientId, name: 'Doc', registeredBy: 'metadata-document' })
    await world.ana.api('POST', `/clients/${encodeURIComponent(clientId)}/block`, {})
    const blocked = await open(world, clientId)
    expect([blocked.status, blocked.leftTo]).toEqual([400, undefined])
  },
)

proves('OAU-8', 'plain HTTP, accounts and addresses written out are refused before anything is sent', async () => {
  const fetch = createGuardedFetch([])
  const addresses = ['http://example.com/', 'https://user:pass@example.com/', 'https://127.0.0.1/', 'https://[::1]/']
  const more = [
    'https://192.168.1.1/',
    'https://100.64.0.1/',
    'https://[fe80::1]/',
    'https://[64:ff9b::7f00:1]/',
    'ftp://x/',
  ]
  for (const address of [...addresses, ...more]) await expect(fetch(address)).rejects.toThrow()
})
