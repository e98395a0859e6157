/**
 * Mallory begins to authorize her client in her own browser and sends Ana the address of the consent page; or sends Ana a
 * link that begins it in Ana's browser, where Ana is signed in and has said yes to another client before.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { authorizationRequest, register } from '../world/oauth/client.ts'
import { createPageClient, hiddenFields, type PageClient } from '../world/pages/page-client.ts'

async function begin(world: World, browser: PageClient, clientName: string) {
  const { gatewayUrl } = world
  const { body } = await register(gatewayUrl, { client_name: clientName })
  const asking = { clientId: String(body['client_id']), resource: `${gatewayUrl}/servers/books/mcp` }
  const asked = await browser.request(authorizationRequest(gatewayUrl, asking).address.slice(gatewayUrl.length))
  expect(asked.headers.location).toMatch(/^[^?]*\/consent\/[\w-]+$/)
  return new URL(asked.headers.location ?? '', gatewayUrl).pathname
}

proves('PAG-7', 'a request that was begun in one browser is not known in another', async () => {
  const world = await startWorld()
  const mallory = createPageClient(world.gatewayUrl)
  const consent = await begin(world, mallory, 'Cat pictures')
  const victim = createPageClient(world.gatewayUrl)
  await victim.signIn(world.ana)
  const seen = await victim.request(consent)
  expect(seen.status).toBe(404)
  expect(seen.text).toContain('This request for access is over')
  expect(seen.text).not.toContain('Cat pictures')
  const form = await victim.tokenOf('/account', '/account/notices')
  expect((await victim.request(consent, { fields: { form, answer: 'allow' } })).status).toBe(403)
  expect(await world.ledger('&event=grant.made')).toEqual([])
})

proves(
  'PAG-7',
  'every client is asked for by its name and where its answer goes; a yes to one is none to the next',
  async () => {
    const world = await startWorld()
    const victim = createPageClient(world.gatewayUrl)
    await victim.signIn(world.ana)
    const trusted = await begin(world, victim, 'Trusted')
    const said = await victim.submit(trusted, { answer: 'allow' })
    expect(said.status).toBe(303)
    expect(await world.ledger('&event=grant.made')).toHaveLength(1)
    const other = await begin(world, victim, 'Trusted')
    const page = await victim.request(other)
    expect(page.text).toContain('<bdi>Trusted</bdi>')
    expect(page.text).toContain('<bdi>127.0.0.1:33418</bdi>')
    expect(await world.ledger('&event=grant.made')).toHaveLength(1)
    const toFirst = hiddenFields(page.text, other)
    expect((await victim.request(trusted, { fields: { ...toFirst, answer: 'allow' } })).status).toBe(403)
    const denied = await victim.submit(other, { answer: 'deny' })
    expect(denied.status).toBe(303)
    expect(await world.ledger('&event=grant.made')).toHaveLength(1)
  },
)

proves('PAG-7', 'whoever is not signed in reads who asks before they sign in, and is asked after', async () => {
  const world = await startWorld()
  const victim = createPageClient(world.gatewayUrl)
  const consent = await begin(world, victim, 'Cat pictures')
  const sent = await victim.request(consent)
  const toSignIn = new URL(sent.headers.location ?? '', world.gatewayUrl)
  expect(toSignIn.pathname).toBe('/sign-in')
  const page = `${toSignIn.pathname}${toSignIn.search}`
  const asked = await victim.request(page)
  expect(asked.text).toContain('<bdi>Cat pictures</bdi>')
  expect(asked.text).toContain('You decide after signing in')
  const { name, password, nextCode } = world.ana
  const hidden = hiddenFields(asked.text, '/sign-in')
  const answer = await victim.request('/sign-in', { fields: { ...hidden, name, password, code: nextCode() } })
  expect(answer.headers.location).toBe(consent)
  expect((await victim.request(consent)).text).toContain('Allow access?')
  expect(await world.ledger('&event=grant.made')).toEqual([])
  const moved = toSignIn.search.replace('consent', 'account')
  expect((await victim.request(`/sign-in${moved}`)).text).not.toContain('Cat pictures')
})
