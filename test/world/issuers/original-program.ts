/**
 * An authorization server that others wrote (`oidc-provider`), in a process of its own: it gives signed access tokens for any
 * resource to one client. Prints its issuer once it answers. Arguments: port, algorithm.
 */
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const [port = '', algorithm = 'ES256'] = process.argv.slice(2)
const issuer = `http://localhost:${port}`
const pair =
  algorithm === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2_048 })
const provider = new Provider(issuer, {
  jwks: { keys: [{ ...pair.privateKey.export({ format: 'jwk' }), use: 'sig', alg: algorithm }] },
  clients: [
    {
      client_id: 'agent',
      client_secret: 'secret-of-an-agent-in-a-test',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: algorithm as 'ES256',
    },
  ],
  scopes: ['mcp'],
  extraTokenClaims: () => ({ groups: ['staff'] }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, resource) => ({
        scope: 'mcp',
        audience: resource,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: algorithm as 'ES256' } },
      }),
    },
  },
})
const answer = provider.callback()
createServer((req, res) => void answer(req, res)).listen(Number(port), 'localhost', () =>
  process.stdout.write(`${issuer}\n`),
)
