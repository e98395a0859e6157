/**
 * A key that signs is stolen: that of an issuer elsewhere, which still publishes it, or that of a client. The thief has made
 * tokens with it and holds streams open. An administrator withdraws the key.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { exportJWK, SignJWT } from 'jose'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { startIssuerWorld } from '../world/issuers/world.ts'
import { createKey, signParts } from '../world/issuers/signing.ts'
import { goodClaims } from '../world/issuers/issuer.ts'
import { callTool } from '../world/messages.ts'
import { post } from '../world/oauth/client.ts'

const stream = { accept: 'text/event-stream' }

proves(
  ['AUT-4', 'AUT-9'],
  'a withdrawn key of an issuer is worth nothing at once, though the issuer still publishes it',
  async () => {
    const [stolen, kept] = [createKey('ES256', 'stolen'), createKey('ES256', 'kept')]
    const world = await startIssuerWorld({}, { keys: [stolen, kept] })
    const sign = (key: typeof stolen, sub: string): string => {
      const head = JSON.stringify({ alg: 'ES256', kid: key.keyId, typ: 'at+jwt' })
      const claims = goodClaims(world.issuer.issuer, world.resource, Math.floor(world.clock.now() / 1_000))
      return signParts(key, head, JSON.stringify({ ...claims, sub }))
    }
    const [thief, owner] = [sign(stolen, 'u-1'), sign(kept, 'u-1')]
    const listen = (token: string) =>
      fetch(world.resource, { headers: { ...stream, authorization: `Bearer ${token}` } })
    const [theirs, own] = [await listen(thief), await listen(owner)]
    expect([theirs.status, own.status]).toEqual([200, 200])
    const reached = world.books.calls('tools/call').length

    const key = { issuer: world.issuer.issuer, key: 'stolen' }
    const withdrawnAt = Date.now()
    const withdrawn = await world.ana.api('POST', '/issuers/keys/withdraw', key)
    const told = { ...key, withdrawnAt: expect.any(String) as string, isPublished: true }
    expect([withdrawn.status, withdrawn.body]).toEqual([200, told])
    await theirs.text()
    expect(Date.now() - withdrawnAt).toBeLessThan(1_000)
    for (const token of [thief, sign(stolen, 'u-1'), sign(stolen, 'somebody-new')]) {
      expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
    }
    expect(world.books.calls('tools/call')).toHaveLength(reached)
    expect((await world.post({ token: owner, message: callTool('echo') })).status).toBe(200)
    await own.body?.cancel()

    await entriesOf(world, 'event=issuer.key-withdrawn', 1)
    const refused = await world.ledger('&event=call.refused&refusal=identity.token-invalid')
    expect(refused.map(({ details }) => details?.['reason'])).toEqual(Array(3).fill('key-withdrawn'))
    const people = await world.ana.api('GET', '/people')
    expect(JSON.stringify(people.body)).not.toContain('somebody-new')

    const again = await world.ana.api('POST', '/issuers/keys/withdraw', key)
    expect(again.status).toBe(200)
    expect((await world.ana.api('GET', '/issuers/keys/withdrawn')).body['items']).toHaveLength(1)
    expect((await world.ana.api('POST', '/issuers/keys/restore', key)).status).toBe(200)
    expect((await world.post({ token: thief, message: callTool('echo') })).status).toBe(200)
    expect((await world.ana.api('POST', '/issuers/keys/restore', key)).status).toBe(404)
    const misspelled = { ...key, key: 'stolne' }
    expect((await world.ana.api('POST', '/issuers/keys/withdraw', misspelled)).body['isPublished']).toBe(false)
    expect((await world.ana.api('POST', '/issuers/keys/restore', misspelled)).status).toBe(200)
    const elsewhere = { ...key, issuer: 'https://elsewhere.example' }
    expect((await world.ana.api('POST', '/issuers/keys/withdraw', elsewhere)).status).toBe(404)
    await entriesOf(world, 'event=issuer.key-withdrawn', 2)
    await entriesOf(world, 'event=issuer.key-restored', 2)
  },
)

/** A client of a service account that authenticates with one of two keys, `lost` and `kept`. */
async function addKeyedClient(world: World) {
  const account = { name: 'robot', purpose: 'nightly', owner: 'ana', roles: [reader] }
  const robot = await world.ana.api('POST', '/service-accounts', account)
  expect(robot.status, JSON.stringify(robot.body)).toBe(201)
  const personId = String(robot.body['id'])
  const pairs = ['lost', 'kept'].map((kid) => ({ kid, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }))
  const keys = await Promise.all(
    pairs.map(async ({ kid, publicKey }) => ({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' })),
  )
  const added = await world.ana.api('POST', '/clients', {
    name: 'keyed',
    authentication: 'private_key_jwt',
    grantTypes: ['client_credentials'],
    personId,
    jwks: { keys },
  })
  expect(added.status, JSON.stringify(added.body)).toBe(201)
  const { id } = added.body['client'] as { id: string }
  const ask = async (kid: string) => {
    const pair = pairs.find((one) => one.kid === kid)
    if (pair === undefined) throw new Error('no such key')
    const client_assertion = await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setIssuer(id)
      .setSubject(id)
      .setAudience(world.gatewayUrl)
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(pair.privateKey)
    return post(world.gatewayUrl, '/oauth/token', {
      grant_type: 'client_credentials',
      scope: 'mcp',
      resource: `${world.gatewayUrl}/servers/books/mcp`,
      client_id: id,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion,
    })
  }
  return { id, ask }
}

proves(
  ['AUT-4', 'AUT-9'],
  'a withdrawn key of a client ends what the client was given, and its other key gets a token',
  async () => {
    const world = await startWorld()
    const { id, ask } = await addKeyedClient(world)
    const token = String((await ask('lost')).body['access_token'])
    const headers = { ...stream, authorization: `Bearer ${token}` }
    const open = await fetch(`${world.gatewayUrl}/servers/books/mcp`, { headers })
    expect(open.status).toBe(200)

    const withdrawnAt = Date.now()
    const withdraw = (key: string) => world.ana.api('POST', `/clients/${id}/keys/withdraw`, { key })
    const left = await withdraw('lost')
    expect([left.status, left.body]).toEqual([200, { id, name: 'keyed', keysLeft: 1 }])
    await open.text()
    expect(Date.now() - withdrawnAt).toBeLessThan(1_000)
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
    const refused = await ask('lost')
    expect([refused.status, refused.body['error']]).toEqual([401, 'invalid_client'])
    const fresh = await ask('kept')
    expect(fresh.status, JSON.stringify(fresh.body)).toBe(200)
    expect((await world.post({ token: String(fresh.body['access_token']), message: callTool('echo') })).status).toBe(
      200,
    )
    const known = await entriesOf(world, 'event=client.key-withdrawn', 1)
    expect(known[0]?.details).toMatchObject({ client: id, key: 'lost', keysLeft: 1 })

    expect((await withdraw('lost')).status).toBe(404)
    expect((await withdraw('kept')).body).toMatchObject({ keysLeft: 0 })
    const none = await ask('kept')
    expect([none.status, none.body['error']]).toEqual([401, 'invalid_client'])
  },
)
