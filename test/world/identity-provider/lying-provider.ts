import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose'
import { atEnd } from '../../ending.ts'

type Claims = Record<string, unknown>

/** A provider in this process that says what a test wants it to say. Its people never see a page. */
export interface LyingProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Everything it can be made to say; changed by tests. */
  readonly says: {
    metadata: Claims
    /** Members of the ID token, over those that would be right. */
    idToken: Claims
    header: JWTHeaderParameters
    key: CryptoKey
    /** Leaves the ID token out, or answers otherwise. */
    token: Claims
    userInfo: Claims
    /** Answers to the token endpoint come from elsewhere. */
    redirectsTo: string | undefined
  }
  /** A key that is not its own. */
  readonly foreignKey: CryptoKey
  /** Paths it was asked for, with the bodies. */
  readonly asked: { readonly path: string; readonly body: string; readonly authorization: string | undefined }[]
  /** What it would answer with after the person has logged in: the address back, for a start at it. */
  back(started: string | undefined, more?: Readonly<Record<string, string>>): string
  /** Signs a token as it does its own. */
  sign(claims: Claims, header?: Partial<JWTHeaderParameters>, key?: CryptoKey): Promise<string>
}

async function bodyOf(req: AsyncIterable<unknown>): Promise<string> {
  let text = ''
  for await (const chunk of req) text += String(chunk)
  return text
}

function metadataOf(issuer: string): Claims {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/userinfo`,
    end_session_endpoint: `${issuer}/end`,
    response_types_supported: ['code'],
    authorization_response_iss_parameter_supported: true,
    id_token_signing_alg_values_supported: ['RS256'],
  }
}

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => server.close().closeAllConnections())
  const address = server.address()
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

export async function startLyingProvider(clientId = 'castellan'): Promise<LyingProvider> {
  const own = await generateKeyPair('RS256')
  const foreign = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  const asked: LyingProvider['asked'][number][] = []
  const codes = new Map<string, string>()
  const { server, port } = await listen()
  const issuer = `http://localhost:${port}`
  const header = { alg: 'RS256', kid: 'one' }
  const honest = { metadata: {}, idToken: {}, token: {}, userInfo: {}, redirectsTo: undefined }
  const says: LyingProvider['says'] = { ...honest, header, key: own.privateKey }
  const sign: LyingProvider['sign'] = (claims, more = {}, key = own.privateKey) =>
    new SignJWT(claims).setProtectedHeader({ ...header, ...more }).sign(key)

  async function idToken(code: string): Promise<string> {
    const now = Math.floor(Date.now() / 1000)
    const nonce = codes.get(code) ?? ''
    const right = { iss: issuer, aud: clientId, sub: 'subject', iat: now, exp: now + 600, nonce, amr: ['mfa'] }
    const claims = JSON.parse(JSON.stringify({ ...right, ...says.idToken })) as Claims
    return sign(claims, says.header, says.key)
  }

  async function answer(path: string, body: string): Promise<Claims> {
    if (path === '/.well-known/openid-configuration') return { ...metadataOf(issuer), ...says.metadata }
    if (path === '/jwks') return { keys: [jwk] }
    if (path === '/userinfo') return { sub: 'subject', ...says.userInfo }
    const code = new URLSearchParams(body).get('code') ?? ''
    return { access_token: 'an-access-token', token_type: 'Bearer', id_token: await idToken(code), ...says.token }
  }

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const [path = '', body] = [(req.url ?? '').split('?', 1)[0], await bodyOf(req)]
    asked.push({ path, body, authorization: req.headers.authorization })
    const isElsewhere = path === '/token' && says.redirectsTo !== undefined
    if (isElsewhere) return void res.writeHead(307, { location: says.redirectsTo }).end()
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(await answer(path, body)))
  }
  server.on('request', (req, res) => void serve(req, res))

  return {
    issuer,
    clientId,
    clientSecret: 'a-secret-of-a-client',
    says,
    foreignKey: foreign.privateKey,
    asked,
    sign,
    back(started, more = {}) {
      const { searchParams } = new URL(started ?? '')
      const code = `code-${codes.size}-${port}`
      codes.set(code, searchParams.get('nonce') ?? '')
      const query = { code, state: searchParams.get('state') ?? '', iss: issuer, ...more }
      return `${searchParams.get('redirect_uri')}?${new URLSearchParams(query).toString()}`
    },
  }
}

/** Lets people sign in at it. @param settings over those that let everybody in without roles */
export function addRequest(
  provider: Pick<LyingProvider, 'issuer' | 'clientId' | 'clientSecret'>,
  name: string,
  settings: Claims = {},
): Claims {
  const { issuer, clientId, clientSecret } = provider
  return {
    name,
    issuer,
    clientId,
    clientSecret,
    settings: { provision: 'jit', dangerouslyAllowPlainHttp: true, ...settings },
  }
}
