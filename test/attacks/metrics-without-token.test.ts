/**
 * Metrics tell which servers and tools there are, how busy they are and what is refused. Somebody who may not know asks
 * for them: with nothing, with tokens of another kind, with almost the right one, and where the world can reach.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { readExposition } from '../world/exposition.ts'
import { callTool } from '../world/messages.ts'

const metricsToken = 'Zk3q9x7Lw2Vb8Nf5Tc1Yh6Rj4Pm0SdGa'

async function ask(url: string, authorization?: string) {
  const response = await fetch(url, authorization === undefined ? {} : { headers: { authorization } })
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
}

proves('OBS-1', 'without the token, or a session that may, there are no metrics', async () => {
  const world = await startWorld({ env: { CASTELLAN_TELEMETRY__METRICS_TOKEN: metricsToken } })
  const ben = await world.join('ben', ['viewer'])
  await ben.signIn()
  await world.post({ token: await world.ana.mint('books'), message: callTool('echo') })
  const reached = world.books.arrived.length
  const closed: [authorization: string | undefined, status: number][] = [
    [undefined, 401],
    ['', 401],
    ['Bearer', 401],
    [`Basic ${metricsToken}`, 401],
    [`Bearer ${metricsToken.slice(0, -1)}`, 401],
    [`Bearer ${metricsToken}x`, 401],
    [`Bearer ${metricsToken.toLowerCase()}`, 401],
    [`Bearer ${await world.ana.mint('books')}`, 401],
    [`Bearer ${ben.sessionToken()}`, 403],
  ]
  for (const [authorization, status] of closed) {
    const answer = await ask(`${world.adminUrl}/metrics`, authorization)
    expect(answer.status, authorization).toBe(status)
    expect(answer.text).not.toMatch(/castellan_|books|mcp_/)
  }
  for (const path of ['/metrics', '/metrics/', '/servers/books/mcp/metrics'])
    expect((await ask(`${world.gatewayUrl}${path}`, `Bearer ${metricsToken}`)).status).toBe(404)

  const refused = (await world.ledger('&event=admin.refused')).filter(({ details }) => details?.['path'] === '/metrics')
  expect(refused).toHaveLength(closed.length)
  expect(JSON.stringify(await world.ledger())).not.toContain(metricsToken)
  expect(world.books.arrived).toHaveLength(reached)
})

proves('OBS-1', 'the token opens the metrics and nothing else; a permitted session opens them, too', async () => {
  const world = await startWorld({ env: { CASTELLAN_TELEMETRY__METRICS_TOKEN: metricsToken } })
  const cleo = await world.join('cleo', ['analyst'])
  await cleo.signIn()
  for (const token of [metricsToken, world.ana.sessionToken(), cleo.sessionToken()]) {
    const answer = await ask(`${world.adminUrl}/metrics`, `Bearer ${token}`)
    expect(answer).toMatchObject({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' })
    expect(readExposition(answer.text).length).toBeGreaterThan(5)
  }
  for (const path of ['/api/v1/people', '/api/v1/audit', '/api/v1/me'])
    expect((await ask(`${world.adminUrl}${path}`, `Bearer ${metricsToken}`)).status).toBe(401)
  const mcp = await world.post({ token: metricsToken, message: callTool('echo') })
  expect(mcp.status).toBe(401)
})

proves('OBS-1', 'without a configured token, an empty one opens nothing', async () => {
  const world = await startWorld()
  for (const authorization of [undefined, 'Bearer ', 'Bearer undefined', 'Bearer null'])
    expect((await ask(`${world.adminUrl}/metrics`, authorization)).status).toBe(401)
  expect((await ask(`${world.adminUrl}/metrics`, `Bearer ${world.ana.sessionToken()}`)).status).toBe(200)
})
