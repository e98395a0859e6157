/**
 * The confused deputy of the MCP security best practices: a person once said yes to a client. The attacker registers a client
 * of their own, sends that person a link, and hopes that the earlier yes, or the session in the browser, counts for it.
 * (FastMCP CVE-2026-27124: the callback did not ask for consent by this browser for this client.)
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { authorizationRequest, obtainCode, register } from '../world/oauth/client.ts'
import { createVisitor } from '../world/oauth/visitor.ts'

proves(
  'OAU-4',
  'each request is asked about anew: neither an earlier yes nor a session answers for another client',
  async () => {
    const world = await startWorld()
    const { gatewayUrl } = world
    const visitor = createVisitor(gatewayUrl)
    const { clientId: trusted } = await obtainCode(gatewayUrl, world.ana, { visitor })

    const evil = { client_name: 'Test client', redirect_uris: ['https://evil.example/callback'] }
    const clientId = String((await register(gatewayUrl, evil)).body['client_id'])
    const resource = `${gatewayUrl}/servers/books/mcp`
    const asking = { clientId, resource, redirectUri: 'https://evil.example/callback' }
    for (const more of [{}, { prompt: 'none' }, { id_token_hint: 'x' }, { login_hint: 'ana' }] as Record<
      string,
      string
    >[]) {
      const page = await visitor.open(authorizationRequest(gatewayUrl, asking, more).address)
      expect(page.leftTo ?? '').not.toContain('code=')
      if (page.leftTo === undefined && page.status === 200) {
        expect(page.text).toContain('evil.example')
        expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      }
    }
    const again = await visitor.open(authorizationRequest(gatewayUrl, { clientId: trusted, resource }).address)
    expect(new URL(again.url).pathname).toMatch(/^\/consent\//)
    expect(await world.ledger('&event=grant.made')).toHaveLength(1)
  },
)

proves('OAU-4', 'a request that one browser began cannot be finished in another', async () => {
  const world = await startWorld()
  const { gatewayUrl } = world
  const clientId = String((await register(gatewayUrl)).body['client_id'])
  const { address } = authorizationRequest(gatewayUrl, { clientId, resource: `${gatewayUrl}/servers/books/mcp` })
  const attacker = createVisitor(gatewayUrl)
  const begun = await attacker.open(address)
  const consent = decodeURIComponent(new URL(begun.url).searchParams.get('next') ?? '')
  expect(consent).toMatch(/^\/consent\//)

  const victim = createVisitor(gatewayUrl)
  await obtainCode(gatewayUrl, world.ana, { visitor: victim })
  const page = await victim.open(`${gatewayUrl}${consent}`)
  expect(page.status).toBe(404)
  const resumed = await victim.open(`${gatewayUrl}/oauth/authorize/${consent.split('/').at(-1)}`)
  expect([resumed.status, resumed.leftTo]).toEqual([400, undefined])
  expect(await world.ledger('&event=grant.made')).toHaveLength(1)
})
