/** An independent library (oauth4webapi) as a relying party, through every grant; each has a good case and a bad one. */
import { openDatabase } from '#platform/database'
import * as oauth from 'oauth4webapi'
import type { Answer } from '../../test/world/people.ts'
import { type Cells, must, mustRefuse } from './cells.ts'
import type { Stage } from './stage.ts'

const redirect = 'http://127.0.0.1:33418/callback'
const insecure = { [oauth.allowInsecureRequests]: true } as const
const party = 'oauth4webapi'

/** What a relying party knows of the server and of itself. */
export interface Known {
  readonly stage: Stage
  readonly server: oauth.AuthorizationServer
  readonly client: oauth.Client
}

async function discover({ castellan }: Stage): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(castellan.gatewayUrl)
  const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure })
  return oauth.processDiscoveryResponse(issuer, found)
}

async function register(server: oauth.AuthorizationServer): Promise<oauth.Client> {
  const metadata = {
    client_name: 'A party',
    redirect_uris: [redirect],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    token_endpoint_auth_method: 'none',
  }
  const answer = await oauth.dynamicClientRegistrationRequest(server, metadata, insecure)
  return oauth.processDynamicClientRegistrationResponse(answer) as Promise<oauth.Client>
}

type Key = ReturnType<typeof oauth.DPoP>

/** From the request for authorization to the tokens. @param key that they are bound to */
async function getTokens(known: Known, key?: Key, spoilt: { readonly verifier?: string } = {}) {
  const { stage, server, client } = known
  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()]
  const asked = new URLSearchParams({
    response_type: 'code',
    redirect_uri: redirect,
    scope: 'mcp',
    state,
    resource: stage.url.href,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const options = key === undefined ? insecure : { ...insecure, DPoP: key }
  const pushed = await oauth.pushedAuthorizationRequest(server, client, oauth.None(), asked, options)
  const { request_uri } = await oauth.processPushedAuthorizationResponse(server, client, pushed)
  const query = new URLSearchParams({ client_id: client.client_id, request_uri })
  const answer = await stage.consent(`${server.authorization_endpoint}?${query.toString()}`)
  const params = oauth.validateAuthResponse(server, client, answer, state)
  const proof = spoilt.verifier ?? verifier
  const grant = oauth.authorizationCodeGrantRequest(server, client, oauth.None(), params, redirect, proof, {
    ...options,
    additionalParameters: { resource: stage.url.href },
  })
  return oauth.processAuthorizationCodeResponse(server, client, await grant)
}

async function refresh({ server, client }: Known, token: string | undefined) {
  const answer = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), token ?? '', insecure)
  return oauth.processRefreshTokenResponse(server, client, answer)
}

/** Whether the MCP server takes the token: the status of a list. */
export async function statusWith(stage: Stage, token: string, key?: Key): Promise<number> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  const headers = new Headers({
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
  })
  const options = key === undefined ? insecure : { ...insecure, DPoP: key }
  const asked = oauth.protectedResourceRequest(token, 'POST', stage.url, headers, body, options)
  const { status } = await asked.catch((thrown: unknown) => {
    if (thrown instanceof oauth.WWWAuthenticateChallengeError) return thrown.response
    throw thrown
  })
  return status
}

async function mustPass(stage: Stage, token: string, key?: Key): Promise<void> {
  const status = await statusWith(stage, token, key)
  must(status === 200, `the server answered ${status}`)
}

async function codes(known: Known, cells: Cells): Promise<void> {
  const { stage, server, client } = known
  await cells.step(
    party,
    'code with PKCE, pushed, with `iss` and resource; a wrong verifier is invalid_grant',
    async () => {
      await mustPass(stage, (await getTokens(known)).access_token)
      const verifier = oauth.generateRandomCodeVerifier()
      await mustRefuse('invalid_grant', getTokens(known, undefined, { verifier }))
    },
  )
  await cells.step(party, 'refresh: each token once; one used again ends its family', async () => {
    const first = await getTokens(known)
    const second = await refresh(known, first.refresh_token)
    await mustPass(stage, second.access_token)
    await mustRefuse('invalid_grant', refresh(known, first.refresh_token))
    must((await statusWith(stage, second.access_token)) === 401, 'the family goes on')
    await mustRefuse('invalid_grant', refresh(known, second.refresh_token))
  })
  await cells.step(party, 'a token bound to a key passes with its proof only', async () => {
    const pair = await oauth.generateKeyPair('ES256')
    const key = oauth.DPoP(client, pair)
    const { access_token: token, token_type: type } = await getTokens(known, key)
    must(type === 'dpop', `it is ${type}`)
    await mustPass(stage, token, key)
    must((await statusWith(stage, token)) === 401, 'it passes without a proof')
    const other = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
    must((await statusWith(stage, token, other)) === 401, 'it passes with the proof of another key')
  })
  await cells.step(party, 'revoked is revoked; the token of nobody is no error', async () => {
    const { access_token: token } = await getTokens(known)
    for (const one of [token, 'coa_nothing']) {
      await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, oauth.None(), one, insecure))
    }
    must((await statusWith(stage, token)) === 401, 'it passes')
  })
}

async function devices(known: Known, cells: Cells): Promise<void> {
  const { stage, server, client } = known
  const ask = async (code: string) => {
    const answer = await oauth.deviceCodeGrantRequest(server, client, oauth.None(), code, insecure)
    return oauth.processDeviceCodeResponse(server, client, answer)
  }
  await cells.step(party, 'device: pending, slow_down when asked at once, given once, then invalid_grant', async () => {
    const asked = { scope: 'mcp', resource: stage.url.href }
    const begun = await oauth.deviceAuthorizationRequest(server, client, oauth.None(), asked, insecure)
    const waiting = await oauth.processDeviceAuthorizationResponse(server, client, begun)
    await mustRefuse('authorization_pending', ask(waiting.device_code))
    await mustRefuse('slow_down', ask(waiting.device_code))
    await stage.approveDevice(waiting.user_code)
    await mustPass(stage, (await ask(waiting.device_code)).access_token)
    await mustRefuse('invalid_grant', ask(waiting.device_code))
  })
}

/** Makes a confidential client by the admin API. */
async function addClient({ castellan }: Stage, fields: Record<string, unknown>) {
  const made: Answer = await castellan.ana.api('POST', '/clients', { name: 'a machine', ...fields })
  must(made.status === 201, `no client: ${made.status} ${JSON.stringify(made.body)}`)
  return { client: { client_id: (made.body['client'] as { id: string }).id }, secret: String(made.body['secret']) }
}

async function addAgent({ castellan }: Stage): Promise<string> {
  const grants = [{ permissions: ['servers:use', 'tools:call'], resources: ['desk', 'desk/tools/*'] }]
  await castellan.ana.api('PUT', '/roles/desk-user', { description: 'uses the desk', grants })
  const account = { name: 'night-shift', owner: 'ben', purpose: 'works at night', roles: ['desk-user'] }
  const made = await castellan.ana.api('POST', '/service-accounts', account)
  must(made.status === 201, `no service account: ${made.status} ${JSON.stringify(made.body)}`)
  return (made.body as { id: string }).id
}

async function machines({ stage, server }: Known, cells: Cells): Promise<void> {
  const grant = 'client_credentials'
  const personId = await cells.step(party, 'an agent has an account of its own', () => addAgent(stage))
  const fields = { grantTypes: [grant], personId }
  const own = async (client: oauth.Client, proof: oauth.ClientAuth) => {
    const asked = { scope: 'mcp', resource: stage.url.href }
    const answer = await oauth.clientCredentialsGrantRequest(server, client, proof, asked, insecure)
    return oauth.processClientCredentialsResponse(server, client, answer)
  }
  const basic = await addClient(stage, { ...fields, authentication: 'client_secret_basic' })
  const pair = await oauth.generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await crypto.subtle.exportKey('jwk', pair.publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }
  const keyed = await addClient(stage, { ...fields, authentication: 'private_key_jwt', jwks: { keys: [jwk] } })
  const stranger = await oauth.generateKeyPair('ES256')
  const ways = [
    ['client_secret_basic', basic.client, oauth.ClientSecretBasic(basic.secret), oauth.ClientSecretBasic('wrong')],
    [
      'private_key_jwt',
      keyed.client,
      oauth.PrivateKeyJwt({ key: pair.privateKey, kid: 'k' }),
      oauth.PrivateKeyJwt({ key: stranger.privateKey, kid: 'k' }),
    ],
  ] as const
  for (const [way, client, right, wrong] of ways) {
    await cells.step(party, `client credentials by ${way}; a wrong proof is invalid_client`, async () => {
      const { access_token: token } = await own(client, right)
      const asked = await oauth.introspectionRequest(server, client, right, token, insecure)
      const { active } = await oauth.processIntrospectionResponse(server, client, asked)
      must(active, 'introspection says it is not active')
      await mustPass(stage, token)
      await mustRefuse('invalid_client', own(client, wrong))
    })
  }
}

const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
const assertionGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

async function borrowed(known: Known, cells: Cells): Promise<void> {
  const { stage, server } = known
  const confidential = { authentication: 'client_secret_basic' }
  const together = `${stage.castellan.gatewayUrl}/mcp`
  await cells.step(party, 'token exchange: for an allowed resource; another is invalid_target', async () => {
    const fields = { ...confidential, grantTypes: [exchangeGrant], exchangeResources: [together] }
    const { client, secret } = await addClient(stage, fields)
    const subject = (await getTokens(known)).access_token
    const exchange = async (resource: string) => {
      const asked = { subject_token: subject, subject_token_type: accessToken, resource }
      const proof = oauth.ClientSecretBasic(secret)
      const answer = await oauth.genericTokenEndpointRequest(server, client, proof, exchangeGrant, asked, insecure)
      return oauth.processGenericTokenEndpointResponse(server, client, answer)
    }
    must((await exchange(together)).access_token !== subject, 'it is the same token')
    await mustRefuse('invalid_target', exchange(`${stage.castellan.gatewayUrl}/servers/other/mcp`))
  })
}

/** Says who ben is at the provider that vouches for him. */
async function link({ castellan, ben, provider }: Stage): Promise<void> {
  const database = await openDatabase({ url: `sqlite:${castellan.dataDir}/castellan.db` })
  const people = database.query.selectFrom('people').select('id').where('name', '=', ben.name)
  const { id: person_id } = await people.executeTakeFirstOrThrow()
  const named = { issuer: provider.issuer, subject: 'ben at work', person_id, provider: 'work' }
  const row = { ...named, roles: '[]', created_at: Date.now() }
  await database.query.insertInto('provider_identities').values(row).execute()
  await database.close()
}

async function vouchedFor({ stage, server }: Known, cells: Cells): Promise<void> {
  await cells.step(party, 'assertion of a provider (ID-JAG): once; again is invalid_grant', async () => {
    await link(stage)
    const fields = { authentication: 'client_secret_basic', grantTypes: [assertionGrant] }
    const { client, secret } = await addClient(stage, fields)
    const now = Math.floor(Date.now() / 1_000)
    const about = { aud: server.issuer, sub: 'ben at work', client_id: client.client_id, resource: stage.url.href }
    const assertion = await stage.provider.assert({ ...about, scope: 'mcp', iat: now, exp: now + 300 })
    const ask = async () => {
      const proof = oauth.ClientSecretBasic(secret)
      const asked = oauth.genericTokenEndpointRequest(server, client, proof, assertionGrant, { assertion }, insecure)
      return oauth.processGenericTokenEndpointResponse(server, client, await asked)
    }
    await mustPass(stage, (await ask()).access_token)
    await mustRefuse('invalid_grant', ask())
  })
}

/** Goes through every grant. */
export async function walkParty(stage: Stage, cells: Cells): Promise<void> {
  const server = await cells.step(party, 'metadata of the server (RFC 8414)', () => discover(stage))
  if (server === undefined) return
  const client = await cells.step(party, 'dynamic registration (RFC 7591)', () => register(server))
  if (client === undefined) return
  const known = { stage, server, client }
  await codes(known, cells)
  await devices(known, cells)
  await machines(known, cells)
  await borrowed(known, cells)
  await vouchedFor(known, cells)
}
