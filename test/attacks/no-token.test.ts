/**
 * Someone who found the gateway's address tries it without a token, with nonsense, with a token in the URL, on every
 * method and in both protocol eras, hoping that one path forgot to ask.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'

proves(['AUT-1', 'LED-3'], 'without a valid token nothing passes, and the challenge names the resource', async () => {
  const world = await startWorld()
  const good = await world.ana.mint('books')
  const before = world.books.arrived.length
  const url = `${world.gatewayUrl}/servers/books/mcp`
  const post = { method: 'POST', body: JSON.stringify(callTool('echo')) }
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const attempts: [string, RequestInit, number?][] = [
    [url, { ...post, headers }],
    [url, { ...post, headers: { ...headers, authorization: 'Bearer cst_forged' } }],
    [url, { ...post, headers: { ...headers, authorization: `Basic ${good}` } }],
    [url, { ...post, headers: { ...headers, authorization: `Bearer ${good} ${good}` } }, 400],
    [url, { ...post, headers: { ...headers, authorization: 'Bearer' } }, 400],
    [url, { ...post, headers: { ...headers, authorization: `Bearer "${good}"` } }, 400],
    [`${url}?access_token=${good}`, { ...post, headers }, 400],
    [`${url}?x=1&Access%5FToken=${good}`, { ...post, headers }, 400],
    [`${url}?access_token=${good}`, { ...post, headers: { ...headers, authorization: `Bearer ${good}` } }, 400],
    [`${url}?access_token=${good}`, { headers: { accept: 'text/event-stream' } }, 400],
    [url, { ...post, headers: { ...headers, authorization: `Bearer ${world.ana.sessionToken()}` } }],
    [url, { headers: { accept: 'text/event-stream' } }],
    [url, { method: 'DELETE', headers: { 'mcp-session-id': 'guess' } }],
    [url, { method: 'POST', body: JSON.stringify(modern(callTool('echo') as never).message), headers }],
    [`${world.gatewayUrl}/servers/no-such-server/mcp`, { ...post, headers }],
  ]
  for (const [target, request, status = 401] of attempts) {
    const response = await fetch(target, request)
    const name = target.includes('no-such') ? 'no-such-server' : 'books'
    expect(response.status, JSON.stringify(request)).toBe(status)
    expect(response.headers.get('www-authenticate')).toContain(
      `resource_metadata="${world.gatewayUrl}/.well-known/oauth-protected-resource/servers/${name}/mcp"`,
    )
    expect(await response.text()).not.toContain('node:')
  }

  expect(world.books.arrived).toHaveLength(before)
  const refused = (await world.ledger()).filter((entry) => entry.event === 'call.refused')
  expect(refused).toHaveLength(attempts.length)
  expect(
    refused.every((entry) =>
      /^(identity.token-invalid|gateway.token-(missing|malformed|in-address))$/.test(entry.refusal ?? ''),
    ),
  ).toBe(true)
})

proves('AUT-1', 'the challenge says invalid_token only when there was a token', async () => {
  const world = await startWorld()
  const none = await world.post({ message: callTool('echo') })
  expect(none.headers.get('www-authenticate')).not.toContain('error=')
  const wrong = await world.post({ message: callTool('echo'), token: 'cst_wrong' })
  expect(wrong.headers.get('www-authenticate')).toMatch(
    /^Bearer error="invalid_token", error_description="[^"]+", resource/,
  )
  const metadata = await fetch(`${world.gatewayUrl}/.well-known/oauth-protected-resource/servers/books/mcp`)
  expect(await metadata.json()).toMatchObject({ resource: `${world.gatewayUrl}/servers/books/mcp` })
})
