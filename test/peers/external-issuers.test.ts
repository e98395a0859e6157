import { fileURLToPath } from 'node:url'
import * as oauth from 'oauth4webapi'
import { expect, test } from 'vitest'
import { atEnd } from '../ending.ts'
import { startWorld } from '../world/castellan.ts'
import { issuerSettings } from '../world/issuers/issuer.ts'
import { callTool, initialize } from '../world/messages.ts'
import { freePorts, startProgram } from '../world/program.ts'

const program = fileURLToPath(new URL('../world/issuers/original-program.ts', import.meta.url))

async function startOriginal(algorithm: string): Promise<string> {
  const [port = 0] = await freePorts(1)
  const started = startProgram(process.execPath, [program, String(port), algorithm])
  atEnd(() => started.stop())
  await started.waitFor(/^http:\/\/localhost:\d+$/m, 30_000)
  return `http://localhost:${port}`
}

async function getToken(issuer: string, resource: string): Promise<string> {
  const secret = Buffer.from('agent:secret-of-an-agent-in-a-test').toString('base64')
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${secret}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'mcp', resource }),
  })
  return String(((await answer.json()) as Record<string, unknown>)['access_token'])
}

/** Whether a library that others wrote accepts the token for this resource. */
async function isAcceptedElsewhere(issuer: string, token: string, resource: string): Promise<boolean> {
  const options = { [oauth.allowInsecureRequests]: true }
  const found = await oauth.discoveryRequest(new URL(issuer), options)
  const server = await oauth.processDiscoveryResponse(new URL(issuer), found)
  const request = new Request(resource, { headers: { authorization: `Bearer ${token}` } })
  return oauth.validateJwtAccessToken(server, request, resource, options).then(
    () => true,
    () => false,
  )
}

test.each(['ES256', 'RS256', 'PS256'])(
  'tokens (%s) of an authorization server that others wrote are taken here as another verifier takes them',
  async (algorithm) => {
    const issuer = await startOriginal(algorithm)
    const issuers = JSON.stringify([issuerSettings(issuer)])
    const world = await startWorld({ env: { CASTELLAN_IDENTITY__ISSUERS: issuers } })
    const resource = `${world.gatewayUrl}/servers/books/mcp`
    const token = await getToken(issuer, resource)
    const other = await getToken(issuer, `${world.gatewayUrl}/mcp`)
    const broken = `${token.slice(0, -4)}AAAA`
    for (const [presented, expected] of [
      [token, 200],
      [other, 401],
      [broken, 401],
    ] as const) {
      const answer = await world.post({ token: presented, message: callTool('echo') })
      expect(answer.status).toBe(expected)
      expect(await isAcceptedElsewhere(issuer, presented, resource)).toBe(expected === 200)
    }
    const started = await world.post({ token, message: initialize })
    expect(started.headers.get('mcp-session-id')).not.toBeNull()
    const entries = await world.ledger('&event=call.completed')
    expect(entries.at(0)?.principal?.name).toMatch(/^ext-[0-9a-f]{24}$/)
  },
  60_000,
)
