import type { World } from '../castellan.ts'
import type { Person } from '../people.ts'
import { type Answer, callAdmin } from '../people.ts'
import { post, refresh } from './client.ts'
import { createVisitor } from './visitor.ts'

export const terminalClient = 'castellan-cli'
export const adminScope = 'castellan:admin'
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

/** Where both listeners are. */
type Addresses = Pick<World, 'gatewayUrl' | 'adminUrl'>

/** Calls the admin API with any credential. */
export function adminApi(adminUrl: string, token: string, path = '/me', body?: unknown): Promise<Answer> {
  return callAdmin(adminUrl, { method: body === undefined ? 'GET' : 'POST', path, token, body })
}

/** A terminal asks for a code. */
export async function startTerminal({ gatewayUrl, adminUrl }: Addresses) {
  const asked = { client_id: terminalClient, resource: adminUrl, scope: adminScope }
  const { status, body } = await post(gatewayUrl, '/oauth/device', asked)
  const fields = { client_id: terminalClient, grant_type: deviceGrant, device_code: String(body['device_code']) }
  return { status, userCode: String(body['user_code']), poll: () => post(gatewayUrl, '/oauth/token', fields) }
}

/** Its person types the code in a browser of their own and answers. */
export async function allowTerminal(
  { gatewayUrl }: Addresses,
  person: Person,
  userCode: string,
  answer: Record<string, string> = { own: 'yes' },
) {
  const visitor = createVisitor(gatewayUrl)
  let page = await visitor.open(`${gatewayUrl}/device`)
  page = await visitor.submit(page, { name: person.name, password: person.password, code: person.nextCode() })
  page = await visitor.submit(page, { user_code: userCode })
  return visitor.submit(page, { answer: 'allow', ...answer })
}

/** What a terminal holds. */
export interface HeldTerminal {
  readonly token: string
  readonly refreshToken: string
  readonly expiresIn: number
  /** @throws with the error code */
  renew(): Promise<HeldTerminal>
}

function heldBy(gatewayUrl: string, body: Record<string, unknown>): HeldTerminal {
  const refreshToken = String(body['refresh_token'])
  return {
    token: String(body['access_token']),
    refreshToken,
    expiresIn: Number(body['expires_in']),
    async renew() {
      const told = await refresh(gatewayUrl, { clientId: terminalClient, refreshToken })
      if (told.status !== 200) throw new Error(String(told.body['error']))
      return heldBy(gatewayUrl, told.body)
    },
  }
}

/** The whole flow. */
export async function signInTerminal(world: Addresses, person: Person): Promise<HeldTerminal> {
  const { userCode, poll } = await startTerminal(world)
  await allowTerminal(world, person, userCode)
  const { status, body } = await poll()
  if (status !== 200) throw new Error(`not signed in: ${status} ${JSON.stringify(body)}`)
  return heldBy(world.gatewayUrl, body)
}
