/**
 * Mallory resumes a stream from an event id that Ben was given, or that she guesses, at an upstream that replays any
 * position to whoever names it.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, sendEvent } from '../world/servers/lying-upstream.ts'

const role = { grants: [{ permissions: ['servers:use', 'tools:call'], resources: ['liar', 'liar/tools/*'] }] }

function resume(world: World, token: string, eventId: string): Promise<Response> {
  return fetch(`${world.gatewayUrl}/servers/liar/mcp`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'last-event-id': eventId },
  })
}

proves(['SES-1', 'SES-2'], 'a position in a stream is useless to anybody but the person it was given to', async () => {
  const world = await startWorld()
  const liar = await addLyingUpstream(world)
  await world.ana.api('PUT', '/roles/liar-user', role)
  const [ben, mallory] = [await world.join('ben', ['liar-user']), await world.join('mallory', ['liar-user'])]
  const [benToken, malloryToken] = [await ben.mint('liar'), await mallory.mint('liar')]
  liar.answer = (asked) => {
    if (asked.req.method === 'GET') sendEvent(asked, { method: 'notifications/message', params: { data: 'private' } })
    else if (asked.method === 'tools/call') sendEvent(asked, { id: asked.id, result: { content: [] } }, 'event-7')
    else return answerHonestly(asked)
    asked.res.end()
  }

  const called = await fetch(`${world.gatewayUrl}/servers/liar/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${benToken}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify(callTool('echo')),
  })
  const given = /^id: (.+)$/m.exec(await called.text())?.[1] ?? ''
  expect(given).not.toBe('')
  expect(given).not.toContain('event-7')

  for (const stolen of [given, 'event-7', 'event-8']) {
    const answer = await resume(world, malloryToken, stolen)
    expect(answer.status).toBe(400)
    expect(await answer.text()).not.toContain('private')
  }
  expect(liar.resumedFrom()).toEqual([])
  expect(await (await resume(world, benToken, given)).text()).toContain('private')
  expect(liar.resumedFrom()).toEqual(['event-7'])
  const refused = await world.ledger('&refusal=gateway.event-unknown')
  expect(refused.map((entry) => entry.principal?.name)).toEqual(Array(3).fill('mallory'))
})
