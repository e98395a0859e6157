/**
 * A rule lets a tool be called if the values of `email` leave its answers. Mallory wants them all the same: by another era, as
 * a stream, by going on with a stream that broke off, by an error, in a batch, at the joint address, as a task, or in
 * what the server says beside its answer.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool, initialize, modern } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, type Asked, sendEvent, sendResult } from '../world/servers/lying-upstream.ts'
import { publishPolicy } from '../world/step-up/approvals.ts'

const canary = 'ada@example.com'
const rule = `
@id("no-addresses") @remedy("redact") @fields("email")
forbid (principal, action in Castellan::Action::"tools:call", resource) when { resource.upstream == "liar" };
`
const inside = { id: 7, people: [{ email: canary, age: 41 }] }
const result = {
  structuredContent: inside,
  content: [
    { type: 'text', text: JSON.stringify(inside) },
    { type: 'text', text: `write to ${canary}` },
  ],
}

async function start(): Promise<{
  world: World
  liar: Awaited<ReturnType<typeof addLyingUpstream>>
  token: string
  joint: string
}> {
  const world = await startWorld()
  const liar = await addLyingUpstream(world)
  await world.ana.api('PUT', '/roles/asker', {
    grants: [{ permissions: ['servers:use', 'tools:call'], resources: ['liar', 'liar/*'] }],
  })
  await publishPolicy(world.ana, rule)
  const mallory = await world.join('mallory', ['asker'])
  return { world, liar, token: await mallory.mint('liar'), joint: await mallory.mint('/mcp') }
}

/** Answers a call in a way of its own, and everything else honestly. */
function calls(answer: (asked: Asked) => void): (asked: Asked) => void {
  return (asked) => (asked.method === 'tools/call' ? answer(asked) : answerHonestly(asked))
}

proves(
  'RED-1',
  'the values leave whole answers, streams, errors and what comes beside them, in both eras',
  async () => {
    const { world, liar, token, joint } = await start()
    const legacy = { token, upstream: 'liar', message: callTool('echo') }
    const present = { token, upstream: 'liar', ...modern(callTool('echo') as { method: string }) }
    const together = { token: joint, upstream: '/mcp', ...modern(callTool('liar__echo') as { method: string }) }
    const told: Record<string, (asked: Asked) => void> = {
      whole: (asked) => sendResult(asked, { resultType: 'complete', ...result }),
      stream(asked) {
        sendEvent(asked, { method: 'notifications/message', params: { level: 'info', data: canary } }, '1')
        sendEvent(
          asked,
          { method: 'notifications/progress', params: { progressToken: 1, progress: 1, message: canary } },
          '2',
        )
        sendEvent(asked, { id: asked.id, result: { resultType: 'complete', ...result } }, '3')
        asked.res.end()
      },
      error: (asked) => {
        asked.res.writeHead(200, { 'content-type': 'application/json' })
        asked.res.end(
          JSON.stringify({ jsonrpc: '2.0', id: asked.id, error: { code: -32000, message: canary, data: [canary] } }),
        )
      },
      nameless: (asked) => {
        asked.res.writeHead(200, { 'content-type': 'application/json' })
        asked.res.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32000, message: canary } }))
      },
      task: (asked) => sendResult(asked, { resultType: 'task', task: { taskId: '1', status: canary } }),
      question: (asked) =>
        sendResult(asked, {
          resultType: 'input_required',
          inputRequests: { q: { method: 'elicitation/create', params: { message: canary } } },
        }),
      odd: (asked) => sendResult(asked, { content: canary }),
    }
    for (const [name, answer] of Object.entries(told)) {
      liar.answer = calls(answer)
      for (const sent of [legacy, present, together]) {
        const { body, events } = await world.post(sent)
        const text = JSON.stringify([body, events])
        expect(text, name).not.toContain(canary)
        if (name === 'whole' || name === 'stream') {
          expect(text, name).toContain('[redacted]')
          expect(text, name).toContain('[withheld: only JSON can be redacted]')
          expect(text, name).toMatch(/"age":41/)
        }
      }
    }
    const intended = (await world.ledger('&event=call.intended')).filter(({ details }) => details?.['redacted'])
    expect(intended.length).toBeGreaterThanOrEqual(Object.keys(told).length * 2)
    expect(intended[0]?.details?.['redacted']).toEqual(['email'])
  },
  90_000,
)

proves(
  'RED-1',
  'what cannot be redacted is denied: a task, and a stream that is gone on with',
  async () => {
    const { world, liar, token } = await start()
    const task = { ...callTool('echo'), params: { name: 'echo', arguments: {}, task: {} } }
    expect(await world.post({ token, upstream: 'liar', message: task })).toMatchObject({
      body: { error: { data: { code: 'gateway.not-granted' } } },
    })
    expect(liar.of('tools/call')).toEqual([])

    const opened = await world.post({ token, upstream: 'liar', message: initialize })
    const session = opened.headers.get('mcp-session-id')
    const headers = session === null ? {} : { 'mcp-session-id': session }
    let asked: Asked | undefined
    liar.answer = calls((each) => {
      asked = each
      sendEvent(each, { method: 'notifications/progress', params: { progressToken: 1, progress: 1 } }, '1')
      each.res.end()
    })
    const broken = await world.post({ token, upstream: 'liar', message: callTool('echo'), headers })
    expect(JSON.stringify([broken.body, broken.events])).toContain('error')
    liar.answer = (each) => {
      if (each.req.method !== 'GET') return answerHonestly(each)
      sendEvent(each, { id: asked?.id, result }, '2')
      each.res.end()
    }
    const accept = {
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
      'mcp-protocol-version': '2025-11-25',
    }
    const again = await fetch(`${world.gatewayUrl}/servers/liar/mcp`, { headers: { ...accept, ...headers } })
    expect(await again.text()).not.toContain(canary)
  },
  90_000,
)
