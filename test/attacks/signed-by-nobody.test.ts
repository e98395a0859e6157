/**
 * Mallory has the public keys of the company's issuer, as everybody has, and writes tokens of her own: without a signature,
 * with the public key as a shared secret, with a key that the token itself brings, with the zeros that some verifiers took
 * for anybody's signature.
 */
import { createHmac } from 'node:crypto'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { base64url, createKey, publicJwk, signParts } from '../world/issuers/signing.ts'
import { goodClaims, startIssuer } from '../world/issuers/issuer.ts'
import { startIssuerWorld } from '../world/issuers/world.ts'
import { callTool } from '../world/messages.ts'

proves(['TOK-1', 'AUT-1', 'LED-3'], 'what the issuer did not sign with a key of its own is nothing', async () => {
  const world = await startIssuerWorld()
  const { issuer, resource } = world
  const accepted = await world.post({ token: issuer.token(resource), message: callTool('echo') })
  expect(accepted.status).toBe(200)
  const before = world.books.arrived.length
  const [key] = issuer.keys
  const mallory = createKey('ES256', 'k-1')
  const elsewhere = await startIssuer({ keys: [mallory] })
  const claims = JSON.stringify({
    ...goodClaims(issuer.issuer, resource, Math.floor(world.clock.now() / 1_000)),
    groups: ['chiefs'],
  })
  const text = (header: object): string =>
    `${base64url(JSON.stringify({ typ: 'at+jwt', ...header }))}.${base64url(claims)}`
  const pem = String(key?.publicKey.export({ type: 'spki', format: 'pem' }))
  const shared = text({ alg: 'HS256', kid: 'k-1' })
  const zeros = text({ alg: 'ES256', kid: 'k-1' })
  const own = (header: object): string =>
    signParts(mallory, JSON.stringify({ alg: 'ES256', typ: 'at+jwt', ...header }), claims)
  const forged = [
    `${text({ alg: 'none' })}.`,
    `${text({ alg: 'nOnE', kid: 'k-1' })}.AA`,
    `${shared}.${createHmac('sha256', pem).update(shared).digest('base64url')}`,
    `${zeros}.${base64url(Buffer.alloc(64))}`,
    own({ kid: 'k-1' }),
    own({ kid: 'k-1', jwk: publicJwk(mallory) }),
    own({ jwk: publicJwk(mallory) }),
    own({ kid: 'k-1', jku: `${elsewhere.issuer}/keys` }),
    own({ kid: 'k-1', x5u: `${elsewhere.issuer}/keys` }),
  ]
  for (const token of forged) {
    const attacked = await world.post({ token, message: callTool('echo') })
    expect([attacked.status, attacked.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('error="invalid_token"'),
    ])
  }
  elsewhere.close()
  expect(elsewhere.asked).toEqual({ metadata: 0, keys: 0 })
  expect(world.books.arrived).toHaveLength(before)
  const refused = await world.ledger('&event=call.refused')
  expect(refused.map(({ refusal }) => refusal)).toEqual(forged.map(() => 'identity.token-invalid'))
  expect(refused.map(({ details }) => details?.['reason'])).toEqual(
    expect.arrayContaining(['algorithm-not-allowed', 'wrong-signature']),
  )
})

proves(
  ['TOK-1', 'TOK-2'],
  'a token of another environment is refused by its key, whatever its claims say',
  async () => {
    const world = await startIssuerWorld()
    const staging = await startIssuer({ nowSeconds: () => Math.floor(world.clock.now() / 1_000) })
    const before = world.books.arrived.length
    for (const claims of [{}, { iss: world.issuer.issuer }, { iss: world.issuer.issuer, client_id: 'castellan' }]) {
      const token = staging.token(world.resource, claims)
      expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
    }
    staging.close()
    expect(staging.asked.keys).toBe(0)
    expect(world.books.arrived).toHaveLength(before)
    const refused = await world.ledger('&event=call.refused')
    expect(refused.map(({ details }) => details?.['reason'])).toEqual([
      'unknown-issuer',
      'wrong-signature',
      'wrong-signature',
    ])
  },
)
