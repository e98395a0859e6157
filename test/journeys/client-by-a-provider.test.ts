/**
 * An MCP client of Ben's asks for access; Ben signs in for it with his account at a provider. He is asked whether he lets
 * the client act, whoever said who he is. When he signs out at the provider, client and browser are out on every node.
 */
import { expect, test } from 'vitest'
import { startLyingWorld } from '../world/identity-provider/lying-world.ts'
import { createVisitor } from '../world/identity-provider/visitor.ts'
import { initialize } from '../world/messages.ts'
import { authorizationRequest, nativeRedirect, redeem, register } from '../world/oauth/client.ts'

const event = 'http://schemas.openid.net/event/backchannel-logout'

test(
  'consent is asked here after signing in there, and a sign-out there ends what came of it',
  { timeout: 60_000 },
  async () => {
    const { world, provider } = await startLyingWorld({ roles: { readers: ['books-reader'] } })
    provider.says.idToken = { preferred_username: 'ben', groups: ['readers'], sid: 'there' }
    const { gatewayUrl } = world
    const second = await world.secondNode()
    const clientId = String((await register(gatewayUrl)).body['client_id'])
    const resource = `${gatewayUrl}/servers/books/mcp`
    const request = authorizationRequest(gatewayUrl, { clientId, resource })

    const visitor = createVisitor()
    const signIn = await visitor.follow(await visitor.get(request.address))
    expect(signIn.url).toContain('/sign-in?')
    expect(signIn.text).toContain('Test client')
    const [, start = ''] = /href="(\/sso\/lies\/start[^"]*)"/.exec(signIn.text) ?? []
    const there = await visitor.get(gatewayUrl + start.replaceAll('&amp;', '&'))
    expect(there.location).toContain(`${provider.issuer}/authorize?`)
    const consent = await visitor.follow(await visitor.get(provider.back(there.location)))
    expect(new URL(consent.url).pathname).toMatch(/^\/consent\//)
    expect(consent.text).toContain('Allow access?')

    const fields = { form: consent.hidden('form'), shown: consent.hidden('shown'), answer: 'allow' }
    const allowed = await visitor.follow(await visitor.post(consent.url, fields), new RegExp(`^${nativeRedirect}`))
    const code = new URL(allowed.location ?? '').searchParams.get('code') ?? ''
    const told = await redeem(gatewayUrl, { clientId, code, resource, ...request })
    const token = String(told.body['access_token'])
    expect((await world.post({ token, message: initialize })).status).toBe(200)

    const session = visitor.cookie(gatewayUrl, /^castellan-\d+$/) ?? ''
    const elsewhere = () =>
      fetch(`${second.gatewayUrl}/account`, {
        redirect: 'manual',
        headers: { cookie: `castellan-${new URL(second.gatewayUrl).port}=${session}` },
      })
    expect((await elsewhere()).status).toBe(200)

    const now = Math.floor(world.clock.now() / 1000)
    const claims = { iss: provider.issuer, aud: 'castellan', iat: now, exp: now + 120, jti: 'one', sid: 'there' }
    const logoutToken = await provider.sign({ ...claims, events: { [event]: {} } }, { typ: 'logout+jwt' })
    const answer = await fetch(`${gatewayUrl}/sso/lies/backchannel-logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: logoutToken }),
    })
    expect(answer.status).toBe(200)
    expect((await world.post({ token, message: initialize })).status).toBe(401)
    expect((await elsewhere()).status).toBe(303)
    expect((await visitor.get(`${gatewayUrl}/account`)).location).toContain('/sign-in')
    const refreshed = await fetch(`${gatewayUrl}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: clientId,
        refresh_token: String(told.body['refresh_token']),
      }),
    })
    expect(refreshed.status).toBe(400)
    expect((await world.ledger('&event=provider.logout')).at(-1)?.details).toMatchObject({ sessions: 1, grants: 1 })
  },
)
