/**
 * The attacker makes a link to the authorization server that would send the code somewhere else: another spelling of the
 * registered address, an account in it, a host that looks alike, or an address that was never registered.
 * (Hydra CVE-2020-15233, -15234: redirect addresses compared without case.)
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { authorizationRequest, nativeRedirect, register } from '../world/oauth/client.ts'
import { createVisitor } from '../world/oauth/visitor.ts'

const registered = 'https://app.example.com/callback'

const variants = [
  'https://app.example.com/Callback',
  'https://APP.example.com/callback',
  'HTTPS://app.example.com/callback',
  'https://app.example.com/callback/',
  'https://app.example.com/callback?x=1',
  'https://app.example.com/callback#x',
  'https://app.example.com/callback/../evil',
  'https://app.example.com/%63allback',
  'https://app.example.com:443/callback',
  'https://app.example.com:8443/callback',
  'https://app.example.com@evil.example/callback',
  'https://user@app.example.com/callback',
  'https://app.example.com.evil.example/callback',
  'https://app.example.com\\@evil.example/callback',
  'http://app.example.com/callback',
  'https://evil.example/callback',
  ' https://app.example.com/callback',
  '//app.example.com/callback',
  'javascript:alert(1)',
  '',
]

proves(
  'OAU-3',
  'no spelling but the registered one is ever redirected to, and errors go nowhere else either',
  async () => {
    const world = await startWorld()
    const { gatewayUrl } = world
    const metadata = { redirect_uris: [registered], application_type: 'web' }
    const clientId = String((await register(gatewayUrl, metadata)).body['client_id'])
    const resource = `${gatewayUrl}/servers/books/mcp`
    const visitor = createVisitor(gatewayUrl)
    for (const redirectUri of variants) {
      for (const more of [{}, { response_type: 'token' }, { prompt: 'none' }]) {
        const { address } = authorizationRequest(
          gatewayUrl,
          { clientId, resource, redirectUri },
          more as Record<string, string>,
        )
        const page = await visitor.open(address)
        expect([redirectUri, page.leftTo, page.status]).toEqual([redirectUri, undefined, 400])
        expect(page.headers.get('location')).toBeNull()
        expect(page.text).not.toContain('evil.example')
      }
    }
    const { address } = authorizationRequest(gatewayUrl, { clientId: 'nobody', resource, redirectUri: registered })
    expect((await visitor.open(address)).leftTo).toBeUndefined()
    expect((await world.ledger('&event=grant.refused')).length).toBeGreaterThanOrEqual(variants.length)
  },
)

proves('OAU-3', 'a program on the machine may choose its port and nothing else', async () => {
  const { gatewayUrl } = await startWorld()
  const clientId = String((await register(gatewayUrl)).body['client_id'])
  const resource = `${gatewayUrl}/servers/books/mcp`
  const leadsTo = async (redirectUri: string): Promise<boolean> => {
    const { address } = authorizationRequest(gatewayUrl, { clientId, resource, redirectUri })
    return new URL((await createVisitor(gatewayUrl).open(address)).url).pathname !== '/oauth/authorize'
  }
  expect(await leadsTo(nativeRedirect)).toBe(true)
  expect(await leadsTo('http://127.0.0.1:1/callback')).toBe(true)
  const others = ['http://127.0.0.1:33418/other', 'http://127.0.0.2:33418/callback', 'http://localhost:33418/callback']
  for (const other of [...others, 'https://127.0.0.1:33418/callback', 'http://127.0.0.1@evil.example:33418/callback']) {
    expect([other, await leadsTo(other)]).toEqual([other, false])
  }
})

proves('OAU-3', 'addresses that no client may have are not registered', async () => {
  const { gatewayUrl } = await startWorld()
  const addresses = [
    'http://example.com/callback',
    'https://*.example.com/callback',
    'https://user:pass@example.com/',
    'https://example.com/#x',
    'javascript:alert(1)',
    'data:text/html,x',
    'not an address',
    'https://example.com/\u0000',
  ]
  for (const address of addresses) {
    const answer = await register(gatewayUrl, { redirect_uris: [address] })
    expect([address, answer.status]).toEqual([address, 400])
  }
})
