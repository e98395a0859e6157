/** What clients use up: codes, refresh tokens, a person's yes on the consent page, and to a device. */
import { authorizationRequest, nativeRedirect, register } from '../../../test/world/oauth/client.ts'
import type { Visitor } from '../../../test/world/oauth/visitor.ts'
import type { Person } from '../../../test/world/people.ts'
import { hiddenFields, type PageClient } from '../../../test/world/pages/page-client.ts'
import type { Answered } from '../nodes.ts'
import type { Kind } from '../race.ts'
import { headersOf, type Stage } from '../stage.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
const tokenPath = '/oauth/token'
const isGiven = ({ status, body }: Answered): boolean => status === 200 && typeof body['access_token'] === 'string'

/** A client in the browser of somebody who is signed in. */
export interface OpenClient {
  readonly clientId: string
  readonly resource: string
  /** The form that redeems a fresh code. */
  code(): Promise<Record<string, string>>
  readonly visitor: Visitor
}

export async function openClient(stage: Stage, person: Person): Promise<OpenClient> {
  const { gatewayUrl } = stage
  const clientId = String((await register(gatewayUrl)).body['client_id'])
  const resource = `${gatewayUrl}/servers/nothing/mcp`
  const { visitor, person: withCode } = await stage.visitorOf(person)
  return {
    clientId,
    resource,
    visitor,
    async code() {
      const { address, verifier } = authorizationRequest(gatewayUrl, { clientId, resource })
      const answer = await visitor.decide(address, withCode)
      const given = answer.searchParams.get('code')
      if (given === null) throw new Error(`no code: ${answer.href}`)
      return {
        grant_type: 'authorization_code',
        client_id: clientId,
        code: given,
        code_verifier: verifier,
        redirect_uri: nativeRedirect,
      }
    },
  }
}

function code({ nodes }: Stage, client: OpenClient): Kind {
  return {
    name: 'authorization code',
    weight: 6,
    isWon: isGiven,
    async prepare() {
      const fields = await client.code()
      return { send: (node) => nodes.post(node, { path: tokenPath, fields }) }
    },
  }
}

/** The next race is for what the last one gave, for as long as its family lives. */
function refresh({ nodes }: Stage, client: OpenClient): Kind {
  let held: Record<string, unknown> = {}
  const keep = (answered: Answered): Answered => {
    if (isGiven(answered)) held = answered.body
    return answered
  }
  const isAlive = async (): Promise<boolean> => {
    const headers = { authorization: `Bearer ${String(held['access_token'])}` }
    const json = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    return (await nodes.post(0, { path: '/servers/nothing/mcp', json, headers })).status !== 401
  }
  return {
    name: 'refresh token',
    weight: 10,
    isWon: isGiven,
    async prepare() {
      if (!(await isAlive())) keep(await nodes.post(0, { path: tokenPath, fields: await client.code() }))
      const refreshToken = String(held['refresh_token'])
      const fields = { grant_type: 'refresh_token', client_id: client.clientId, refresh_token: refreshToken }
      return { send: async (node) => keep(await nodes.post(node, { path: tokenPath, fields })) }
    },
  }
}

/** Says yes on the page, and follows where that leads: to a code, for one of all who do. */
function consent({ nodes, gatewayUrl }: Stage, { clientId, resource, visitor, code: first }: OpenClient): Kind {
  let isSignedIn = false
  return {
    name: 'consent to a client',
    weight: 5,
    isWon: ({ location }) => location.startsWith(nativeRedirect) && new URL(location).searchParams.has('code'),
    async prepare() {
      if (!isSignedIn) await first()
      isSignedIn = true
      const { address } = authorizationRequest(gatewayUrl, { clientId, resource })
      const page = await visitor.open(address)
      const { pathname } = new URL(page.url)
      const fields = { ...hiddenFields(page.text, pathname), answer: 'allow' }
      return {
        async send(node) {
          const cookie = visitor.cookiesFor(page.url)
          const said = await nodes.post(node, { path: pathname, fields, headers: { cookie, origin: gatewayUrl } })
          if (!said.location.startsWith(`${gatewayUrl}/oauth/`) && !said.location.startsWith('/oauth/')) return said
          const on = new URL(said.location, gatewayUrl)
          const headers = { cookie: visitor.cookiesFor(on.href) }
          return nodes.post(node, { method: 'GET', path: `${on.pathname}${on.search}`, headers })
        },
      }
    },
  }
}

interface Device {
  readonly clientId: string
  readonly codes: Record<string, unknown>
  /** What says yes to it, on the page that showed it. */
  readonly fields: Record<string, string>
}

async function openDevice(stage: Stage, browser: PageClient, clientId: string): Promise<Device> {
  const { nodes, gatewayUrl } = stage
  await stage.clearThrottle()
  const asked = { client_id: clientId, resource: `${gatewayUrl}/servers/nothing/mcp`, scope: 'mcp' }
  const { body } = await nodes.post(0, { path: '/oauth/device', fields: asked })
  const shown = await browser.submit('/device', { user_code: String(body['user_code']) })
  return { clientId, codes: body, fields: { ...hiddenFields(shown.text, '/device'), answer: 'allow' } }
}

async function deviceKinds(stage: Stage, person: Person): Promise<readonly Kind[]> {
  const { nodes, gatewayUrl } = stage
  const browser = await stage.browserOf(person)
  const metadata = { grant_types: [deviceGrant, 'refresh_token'], response_types: [], redirect_uris: [] }
  const clientId = String((await register(gatewayUrl, metadata)).body['client_id'])
  const approve = (node: number, { fields }: Device) =>
    nodes.post(node, { path: '/device', fields, headers: headersOf(browser, gatewayUrl) })
  const isApproved = ({ text }: Answered): boolean => text.includes('Connected')
  const approval: Kind = {
    name: 'approval of a device',
    weight: 4,
    isWon: isApproved,
    clear: stage.clearThrottle,
    async prepare() {
      const device = await openDevice(stage, browser, clientId)
      return { send: (node) => approve(node, device) }
    },
  }
  const redemption: Kind = {
    name: 'device code',
    weight: 4,
    isWon: isGiven,
    async prepare() {
      const device = await openDevice(stage, browser, clientId)
      if (!isApproved(await approve(0, device))) throw new Error('the device was not approved')
      const device_code = String(device.codes['device_code'])
      const fields = { grant_type: deviceGrant, client_id: clientId, device_code }
      return { send: (node) => nodes.post(node, { path: tokenPath, fields }) }
    },
  }
  return [approval, redemption]
}

export async function oauthKinds(stage: Stage, client: OpenClient): Promise<readonly Kind[]> {
  const devices = await deviceKinds(stage, await stage.join('dora'))
  return [code(stage, client), refresh(stage, client), consent(stage, client), ...devices]
}
