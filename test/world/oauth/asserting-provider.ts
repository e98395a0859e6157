import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, SignJWT } from 'jose'

/** An identity provider that vouches for people to clients (ID-JAG). */
export interface AssertingProvider {
  readonly issuer: string
  close(): void
  assert(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>
}

/** Starts one on this machine, with metadata and keys. */
export async function startAssertingProvider(): Promise<AssertingProvider> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'a', alg: 'ES256', use: 'sig' }
  let issuer = ''
  const server = createServer((req, res) => {
    res.setHeader('content-type', 'application/json')
    const isKeys = req.url === '/keys'
    res.end(JSON.stringify(isKeys ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/keys` }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    issuer,
    close() {
      server.closeAllConnections()
      server.close()
    },
    assert: (claims, header = {}) =>
      new SignJWT({ iss: issuer, jti: randomUUID(), ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'a', typ: 'oauth-id-jag+jwt', ...header })
        .sign(privateKey),
  }
}
