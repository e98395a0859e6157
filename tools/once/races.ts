/** Races for things that count once: each fires the same request at two nodes at once and tells how many succeeded. */
import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import type { AssertingProvider } from '../../test/world/oauth/asserting-provider.ts'
import { authorizationRequest, nativeRedirect, register } from '../../test/world/oauth/client.ts'
import { makeProofKey } from '../../test/world/oauth/proof-key.ts'
import { createVisitor } from '../../test/world/oauth/visitor.ts'
import type { Answered, Nodes, Posting } from './nodes.ts'

const perNode = 2
const assertionGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

export interface Race {
  readonly name: string
  /** Share of all races. */
  readonly share: number
  /** @returns how many of the same requests succeeded */
  run(): Promise<number>
}

function both(nodes: Nodes, posting: Posting): Promise<Answered[]> {
  const each = Array.from({ length: perNode * 2 }, (_one, at) => nodes.post(at % 2, posting))
  return Promise.all(each)
}

const isGiven = ({ status }: Answered): boolean => status === 200

async function openClient({ first }: Nodes) {
  const { gatewayUrl } = first
  const clientId = String((await register(gatewayUrl)).body['client_id'])
  const resource = `${gatewayUrl}/servers/nothing/mcp`
  const visitor = createVisitor(gatewayUrl)

  /** The form that redeems a fresh code. */
  async function code(): Promise<Record<string, string>> {
    const { address, verifier } = authorizationRequest(gatewayUrl, { clientId, resource })
    const answer = await visitor.decide(address, first.ana)
    return {
      grant_type: 'authorization_code',
      client_id: clientId,
      code: answer.searchParams.get('code') ?? '',
      code_verifier: verifier,
      redirect_uri: nativeRedirect,
    }
  }
  return { clientId, resource, code, gatewayUrl }
}

type OpenClient = Awaited<ReturnType<typeof openClient>>

function codeRace(nodes: Nodes, client: OpenClient): Race {
  return {
    name: 'code',
    share: 0.05,
    async run() {
      const answers = await both(nodes, { path: '/oauth/token', fields: await client.code() })
      return answers.filter(isGiven).length
    },
  }
}

function refreshRace(nodes: Nodes, client: OpenClient): Race {
  let refreshToken: string | undefined
  const fresh = async (): Promise<string> => {
    const { body } = await nodes.post(0, { path: '/oauth/token', fields: await client.code() })
    return String(body['refresh_token'])
  }
  const race = async (held: string): Promise<Answered[]> => {
    const fields = { grant_type: 'refresh_token', client_id: client.clientId, refresh_token: held }
    return (await both(nodes, { path: '/oauth/token', fields })).filter(isGiven)
  }
  return {
    name: 'refresh token',
    share: 0.25,
    async run() {
      const won = refreshToken === undefined ? [] : await race(refreshToken)
      // WHY: a loser of the race before that came late has ended the family; that was a reuse, and is no race lost.
      const counted = won.length > 0 ? won : await race(await fresh())
      const next = counted[0]?.body['refresh_token']
      refreshToken = typeof next === 'string' ? next : undefined
      return counted.length
    },
  }
}

async function proofRace(nodes: Nodes, { code, resource, gatewayUrl }: OpenClient): Promise<Race> {
  const key = await makeProofKey()
  const dpop = await key.proof('POST', `${gatewayUrl}/oauth/token`, Date.now())
  const { body } = await nodes.post(0, { path: '/oauth/token', fields: await code(), headers: { dpop } })
  const token = String(body['access_token'])
  const ath = createHash('sha256').update(token).digest('base64url')
  const json = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  return {
    name: 'proof of possession',
    share: 0.35,
    async run() {
      const proof = await key.proof('POST', resource, Date.now(), { ath })
      const headers = { authorization: `DPoP ${token}`, dpop: proof }
      const answers = await both(nodes, { path: '/servers/nothing/mcp', json, headers })
      return answers.filter(({ status }) => status !== 401 && status !== 0 && status < 500).length
    },
  }
}

async function assertionRace(nodes: Nodes, provider: AssertingProvider): Promise<Race> {
  const { ana, dataDir, gatewayUrl } = nodes.first
  const me = (await ana.api('GET', '/people')).body['items'] as { id: string }[]
  const file = new DatabaseSync(join(dataDir, 'castellan.db'), { timeout: 5_000 })
  const columns = '(issuer, subject, person_id, provider, roles, created_at)'
  const link = file.prepare(`insert into provider_identities ${columns} values (?, ?, ?, ?, ?, ?)`)
  link.run(provider.issuer, 'ana', me[0]?.id ?? '', 'work', '[]', Date.now())
  file.close()
  const fields = { name: 'agent', authentication: 'client_secret_basic', grantTypes: [assertionGrant] }
  const { body } = await ana.api('POST', '/clients', fields)
  const { id } = body['client'] as { id: string }
  const authorization = `Basic ${Buffer.from(`${id}:${String(body['secret'])}`).toString('base64')}`
  return {
    name: 'identity assertion',
    share: 0.35,
    async run() {
      const now = Math.floor(Date.now() / 1_000)
      const resource = `${gatewayUrl}/servers/nothing/mcp`
      const claims = { aud: gatewayUrl, sub: 'ana', client_id: id, resource, scope: 'mcp', iat: now, exp: now + 300 }
      const assertion = await provider.assert(claims)
      const form = { grant_type: assertionGrant, assertion }
      const answers = await both(nodes, { path: '/oauth/token', fields: form, headers: { authorization } })
      return answers.filter(isGiven).length
    },
  }
}

/** Every race. @param provider whose assertions both nodes accept */
export async function makeRaces(nodes: Nodes, provider: AssertingProvider): Promise<readonly Race[]> {
  const client = await openClient(nodes)
  return [
    codeRace(nodes, client),
    refreshRace(nodes, client),
    await proofRace(nodes, client),
    await assertionRace(nodes, provider),
  ]
}
