/**
 * Whoever reads the log reads what the attacker sent: a line that looks like another entry hides the real one, a control
 * sequence redraws the terminal, a bidirectional mark turns the meaning round. Everything that a stranger and a person
 * can send is filled with it, at the level of detail where the log says most.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { send } from '../world/edge/send.ts'
import { callTool } from '../world/messages.ts'
import { callAdmin } from '../world/people.ts'

const forged = '{"level":"info","event.name":"session.started","msg":"forged"}'
const hostile = `x\r\n${forged}\r\n\u001b[2J\u001b]0;owned\u0007\u009b31m\u2028\u202e\u0000`

proves('OBS-2', 'no line of the log begins, ends or steers where an attacker wants it', async () => {
  const world = await startWorld({ env: { CASTELLAN_TELEMETRY__LOG_LEVEL: 'debug' } })
  const token = await world.ana.mint('books')
  const asHeader = encodeURIComponent(hostile)
  await send(world.gatewayUrl, { path: `/${asHeader}`, headers: { 'user-agent': asHeader, traceparent: asHeader } })
  await send(world.gatewayUrl, { path: '/servers/books/mcp', headers: { authorization: `Bearer ${asHeader}` } })
  const messages = [
    callTool(hostile),
    callTool('echo', hostile),
    { jsonrpc: '2.0', id: hostile, method: hostile, params: { [hostile]: hostile } },
    { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri: `file:///${hostile}` } },
    { ...callTool('nothing'), params: { name: 'nothing', _meta: { traceparent: hostile } } },
    `{"jsonrpc":"2.0","id":1,"method":"${hostile}`,
  ]
  for (const message of messages) await world.post({ token, message })
  world.books.tools = world.books.tools.map((tool) => ({ ...tool, description: hostile }))
  await world.ana.api('POST', '/upstreams/books/review', {})
  const body = { name: hostile, password: hostile, code: hostile }
  await callAdmin(world.adminUrl, { method: 'POST', path: '/sign-in', body })
  await callAdmin(world.adminUrl, { method: 'GET', path: `/people/${asHeader}`, token: world.ana.sessionToken() })

  const seen = await world.ledger('&event=call.refused')
  expect(seen.length).toBeGreaterThanOrEqual(5)
  await world.stop()
  expect(world.logLines.length).toBeGreaterThan(5)
  for (const line of world.logLines) {
    expect(line).toMatch(/^[\u0020-\u007e]+\n$/)
    const said = JSON.parse(line) as Record<string, unknown>
    expect(said['event.name']).not.toBe('session.started')
    expect(said['msg']).not.toBe('forged')
  }
  expect(world.logLines.some((line) => line.includes('"event.name":"exchange.refused"'))).toBe(true)
})
