import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT, exportJWK } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { given, home, identityWorld, type IdentityWorld, places } from '../../../test/world/identity.ts'

const resource = `${places.gatewayUrl}/servers/books/mcp`
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** What identity answers to browsers and clients, on a port of its own. */
async function serveFront({ identity }: IdentityWorld): Promise<string> {
  const server = createServer((req, res) => {
    const { pathname } = new URL(req.url ?? '/', places.gatewayUrl)
    const visit = { path: pathname, exchangeId: randomUUID(), address: home }
    identity.front.answer(req, res, visit).catch(() => res.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

eachDatabase('the token of a client that acts for itself', (open) => {
  test('shows what the client proved itself with: its secret, or its key', async () => {
    const world = await identityWorld(await open())
    const { principal: by } = await world.signIn(await world.admin())
    const origin = await serveFront(world)
    const fresh = { name: 'robot', purpose: 'shows its factor', ownerId: by.id, roles: [], by }
    const { id: personId } = given(await world.identity.serviceAccounts.add(fresh))
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] }
    const alone = { name: 'robot', redirectUris: [], grantTypes: ['client_credentials'], personId, by }
    const { addClient, authenticateAccessToken } = world.identity
    const secretive = given(await addClient({ ...alone, authentication: 'client_secret_basic' }))
    const keyed = given(await addClient({ ...alone, authentication: 'private_key_jwt', jwks }))

    const ask = async (fields: Record<string, string>, headers: Record<string, string> = {}) => {
      const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'mcp', resource, ...fields })
      const answer = await fetch(`${origin}/oauth/token`, { method: 'POST', body, headers })
      const told = (await answer.json()) as Record<string, unknown>
      expect(answer.status, JSON.stringify(told)).toBe(200)
      return given(await authenticateAccessToken(String(told['access_token']), resource))
    }
    const basic = Buffer.from(`${secretive.view.id}:${secretive.secret ?? ''}`).toString('base64')
    const bySecret = await ask({}, { authorization: `Basic ${basic}` })
    expect(bySecret).toMatchObject({ id: personId, isService: true, factors: ['client-secret'] })

    const { id } = keyed.view
    const now = Math.floor(Date.now() / 1_000)
    const assertion = await new SignJWT({ jti: randomUUID(), iss: id, sub: id, aud: places.gatewayUrl })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setIssuedAt(now)
      .setExpirationTime(now + 60)
      .sign(privateKey)
    const byKey = await ask({ client_id: id, client_assertion_type: assertionType, client_assertion: assertion })
    expect(byKey).toMatchObject({ id: personId, isService: true, factors: ['client-key'] })
  })
})
