/** An identity provider at which nobody ever sees a page, and which takes the same code as often as it comes. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, SignJWT } from 'jose'

export const clientId = 'castellan'
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

export interface SigningInProvider {
  readonly issuer: string
  /** Where a browser is sent back to that came with this address. */
  back(started: string): string
  /** A logout token for somebody who is not signed in. */
  logoutToken(): Promise<string>
  close(): void
}

async function readAll(req: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of req) text += String(chunk)
  return text
}

/** @param amr what its people have proved */
export async function startSigningInProvider(amr: readonly string[]): Promise<SigningInProvider> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'a', alg: 'ES256', use: 'sig' }
  let issuer = ''
  const sign = (claims: Record<string, unknown>, typ: string): Promise<string> => {
    const now = Math.floor(Date.now() / 1_000)
    const all = { iss: issuer, aud: clientId, iat: now, exp: now + 300, ...claims }
    return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: 'a', typ }).sign(privateKey)
  }

  async function answer(req: IncomingMessage): Promise<unknown> {
    if (req.url === '/jwks') return { keys: [jwk] }
    if (req.url !== '/token') {
      const [authorization_endpoint, token_endpoint] = [`${issuer}/authorize`, `${issuer}/token`]
      const id_token_signing_alg_values_supported = ['ES256']
      const endpoints = { authorization_endpoint, token_endpoint, jwks_uri: `${issuer}/jwks` }
      return { issuer, response_types_supported: ['code'], id_token_signing_alg_values_supported, ...endpoints }
    }
    const nonce = new URLSearchParams(await readAll(req)).get('code') ?? ''
    const id_token = await sign({ sub: 'subject', preferred_username: 'sam', nonce, amr }, 'JWT')
    return { access_token: randomUUID(), token_type: 'Bearer', id_token }
  }

  const server = createServer((req, res) => {
    void answer(req).then((body) => res.setHeader('content-type', 'application/json').end(JSON.stringify(body)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  return {
    issuer,
    back(started) {
      const { searchParams } = new URL(started)
      // WHY: the code is the nonce, so that nothing has to be kept and no code is ever used up.
      const query = { code: searchParams.get('nonce') ?? '', state: searchParams.get('state') ?? '', iss: issuer }
      return `${searchParams.get('redirect_uri')}?${new URLSearchParams(query).toString()}`
    },
    logoutToken: () => sign({ jti: randomUUID(), sub: 'nobody', events: { [logoutEvent]: {} } }, 'logout+jwt'),
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
