/**
 * Registration is open to everybody. The attacker registers clients without end, to fill the database or to hide one among
 * many, and gives them long names and large metadata.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { authorizationRequest, obtainTokens, register } from '../world/oauth/client.ts'
import { createVisitor } from '../world/oauth/visitor.ts'

proves(
  'OAU-7',
  'one address registers a few clients an hour; those that nobody used are forgotten after a day',
  async () => {
    const world = await startWorld({ env: { CASTELLAN_OAUTH__REGISTRATIONS_PER_HOUR: '5' } })
    const { gatewayUrl } = world
    const used = await obtainTokens(gatewayUrl, world.ana)
    const answers = await Promise.all(Array.from({ length: 20 }, () => register(gatewayUrl)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(4)
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(16)
    expect(await world.ledger('&event=client.refused')).toHaveLength(16)
    expect(await world.ledger('&event=client.registered')).toHaveLength(5)

    world.clock.advance(25 * 3_600_000)
    expect((await register(gatewayUrl)).status).toBe(201)
    await world.ana.signIn()
    const items = (await world.ana.api('GET', '/clients')).body['items'] as { id: string }[]
    expect(items.filter(({ id }) => id !== 'castellan-cli')).toHaveLength(2)
    expect(items.map(({ id }) => id)).toContain(used.clientId)
  },
)

proves('OAU-7', 'metadata beyond bounds make no client', async () => {
  const { gatewayUrl } = await startWorld()
  const wrong = [
    { client_name: 'x'.repeat(101) },
    { redirect_uris: Array.from({ length: 21 }, (_one, at) => `https://example.com/${at}`) },
    { redirect_uris: [`https://example.com/${'x'.repeat(2_000)}`] },
    { redirect_uris: [] },
    { padding: 'x'.repeat(60_000) },
    { grant_types: ['password'] },
    { response_types: ['token'] },
    { scope: 'castellan:admin' },
    { jwks_uri: 'http://example.com/keys' },
  ]
  for (const metadata of wrong) expect((await register(gatewayUrl, metadata)).status).toBe(400)
  const most = await register(gatewayUrl, { client_name: 'x'.repeat(100) })
  expect(most.status).toBe(201)
})

proves('OAU-7', 'what a client says of itself is shown as text', async () => {
  const { gatewayUrl } = await startWorld()
  const client_name = '<img src=x onerror=alert(1)>'
  const clientId = String((await register(gatewayUrl, { client_name })).body['client_id'])
  const { address } = authorizationRequest(gatewayUrl, { clientId, resource: `${gatewayUrl}/servers/books/mcp` })
  const page = await createVisitor(gatewayUrl).open(address)
  expect(page.text).toContain('&lt;img')
  expect(page.text).not.toContain('<img src=x')
})
