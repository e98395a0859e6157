/** Signed statements that carry an identifier of their own (`jti`), each of which counts once. */
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import { exportJWK, SignJWT } from 'jose'
import type { AssertingProvider } from '../../../test/world/oauth/asserting-provider.ts'
import { makeProofKey } from '../../../test/world/oauth/proof-key.ts'
import { noStatus } from '../nodes.ts'
import type { Kind } from '../race.ts'
import type { Stage } from '../stage.ts'
import type { OpenClient } from './oauth.ts'

const assertionGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const clientAssertion = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const tokenPath = '/oauth/token'

async function proofOfPossession({ nodes, gatewayUrl }: Stage, { code, resource }: OpenClient): Promise<Kind> {
  const key = await makeProofKey()
  const dpop = await key.proof('POST', `${gatewayUrl}${tokenPath}`, Date.now())
  const { body } = await nodes.post(0, { path: tokenPath, fields: await code(), headers: { dpop } })
  const token = String(body['access_token'])
  const ath = createHash('sha256').update(token).digest('base64url')
  const json = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  return {
    name: 'proof of possession (DPoP jti)',
    weight: 14,
    // WHY: there is no such server, which only whoever was let in is told.
    isWon: ({ status }) => status !== 401 && status !== noStatus && status < 500,
    async prepare() {
      const proof = await key.proof('POST', resource, Date.now(), { ath })
      const headers = { authorization: `DPoP ${token}`, dpop: proof }
      return { send: (node) => nodes.post(node, { path: '/servers/nothing/mcp', json, headers }) }
    },
  }
}

/** The statement of the provider about ana, for a client. */
function assertionOf({ gatewayUrl }: Stage, provider: AssertingProvider, id: string): Promise<string> {
  const now = Math.floor(Date.now() / 1_000)
  const resource = `${gatewayUrl}/servers/nothing/mcp`
  const about = { aud: gatewayUrl, sub: 'ana', client_id: id, resource, scope: 'mcp' }
  return provider.assert({ ...about, iat: now, exp: now + 300 })
}

async function addClient(stage: Stage, more: Record<string, unknown>): Promise<{ id: string; secret: string }> {
  const fields = { name: 'agent', grantTypes: [assertionGrant], ...more }
  const { body } = await stage.nodes.first.ana.api('POST', '/clients', fields)
  const { id } = body['client'] as { id: string }
  return { id, secret: String(body['secret']) }
}

async function identityAssertion(stage: Stage, provider: AssertingProvider): Promise<Kind> {
  const { id, secret } = await addClient(stage, { authentication: 'client_secret_basic' })
  const headers = { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
  return {
    name: 'identity assertion (ID-JAG jti)',
    weight: 12,
    isWon: ({ status }) => status === 200,
    async prepare() {
      const fields = { grant_type: assertionGrant, assertion: await assertionOf(stage, provider, id) }
      return { send: (node) => stage.nodes.post(node, { path: tokenPath, fields, headers }) }
    },
  }
}

/** Each request comes with another identity assertion, so that only the client's own is in the way of the second. */
async function assertionOfClient(stage: Stage, provider: AssertingProvider): Promise<Kind> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'a', alg: 'ES256', use: 'sig' }
  const { id } = await addClient(stage, { authentication: 'private_key_jwt', jwks: { keys: [jwk] } })
  return {
    name: 'client assertion (jti)',
    weight: 8,
    isWon: ({ status }) => status === 200,
    async prepare() {
      const signer = new SignJWT({ iss: id, sub: id, aud: stage.gatewayUrl, jti: randomUUID() })
      const signed = signer.setProtectedHeader({ alg: 'ES256', kid: 'a' }).setIssuedAt().setExpirationTime('1m')
      const client_assertion = await signed.sign(privateKey)
      const own = { client_id: id, client_assertion_type: clientAssertion, client_assertion }
      return {
        async send(node) {
          const assertion = await assertionOf(stage, provider, id)
          return stage.nodes.post(node, { path: tokenPath, fields: { grant_type: assertionGrant, assertion, ...own } })
        },
      }
    },
  }
}

/** @param provider whose assertions both nodes accept */
export async function identifierKinds(
  stage: Stage,
  client: OpenClient,
  provider: AssertingProvider,
): Promise<readonly Kind[]> {
  const { query } = stage.database
  const { id } = await query.selectFrom('people').select('id').where('name', '=', 'ana').executeTakeFirstOrThrow()
  const link = { issuer: provider.issuer, subject: 'ana', person_id: id, provider: 'work', roles: '[]' }
  await query
    .insertInto('provider_identities')
    .values({ ...link, created_at: Date.now() })
    .execute()
  return [
    await proofOfPossession(stage, client),
    await identityAssertion(stage, provider),
    await assertionOfClient(stage, provider),
  ]
}
