/**
 * Clients hold the gateway's attention for as long as they can: one sends its headers a letter at a time, one its body,
 * one takes nothing of an endless answer. Each hopes that the gateway waits, until it has nobody left for the others.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, type Asked, sendEvent } from '../world/servers/lying-upstream.ts'
import { openRaw, postOf, type RawClient } from '../world/wire/raw-client.ts'

const impatient = { CASTELLAN_LIMITS__HEADERS_SECONDS: '1', CASTELLAN_LIMITS__REQUEST_SECONDS: '2' }
const slack = { timeout: 10_000 }

function fieldsFor(token: string): string[] {
  return [
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
  ]
}

/** Sends a text to its end, a letter every 20 ms, until it is cut off. @returns how long that took */
async function dribble(client: RawClient, text: string): Promise<number> {
  const startedAt = performance.now()
  let at = 0
  const timer = setInterval(() => client.socket.write(text[at++ % text.length] ?? ''), 20)
  await client.closed
  clearInterval(timer)
  return performance.now() - startedAt
}

/** Honest calls, one after the other, for as long as something takes. @returns the slowest of them */
async function callMeanwhile(world: World, token: string, during: Promise<unknown>): Promise<number> {
  let isOver = false
  void during.then(() => (isOver = true))
  let slowestMs = 0
  while (!isOver) {
    const startedAt = performance.now()
    expect((await world.post({ token, message: callTool('echo', 'honest') })).status).toBe(200)
    slowestMs = Math.max(slowestMs, performance.now() - startedAt)
  }
  return slowestMs
}

proves('CON-1', 'clients that dribble their requests are cut off, and others are served meanwhile', async () => {
  const world = await startWorld({ env: impatient })
  const [token, port] = [await world.ana.mint('books'), Number(new URL(world.gatewayUrl).port)]
  const url = `${world.gatewayUrl}/servers/books/mcp`
  const body = JSON.stringify(callTool('echo', 'dribbled'.repeat(1_000)))
  const head = postOf(url, fieldsFor(token), body).slice(0, -body.length)
  const slow = await Promise.all(Array.from({ length: 40 }, () => openRaw({ port })))
  const [inHeaders, inBody] = [slow.slice(0, 20), slow.slice(20)]
  for (const { socket } of inHeaders) socket.write(head.slice(0, 40))
  for (const { socket } of inBody) socket.write(head)
  const cut = Promise.all([
    ...inHeaders.map((client) => dribble(client, 'X-Slow: abcdefgh\r\n')),
    ...inBody.map((client) => dribble(client, body)),
  ])
  const slowestMs = await callMeanwhile(world, token, cut)
  const tookMs = await cut
  expect(Math.max(...tookMs.slice(0, 20))).toBeLessThan(3_500)
  expect(Math.max(...tookMs.slice(20))).toBeLessThan(4_500)
  expect(slowestMs).toBeLessThan(1_500)
  for (const client of slow) expect(client.statuses()).toEqual([408])
  expect(world.books.calls('tools/call').filter(({ body: seen }) => seen.includes('dribbled'))).toEqual([])
  const refusals = async () => (await world.ledger('&event=call.refused')).map(({ refusal }) => refusal)
  await expect.poll(refusals, slack).toEqual(Array.from({ length: 20 }, () => 'gateway.body-incomplete'))
})

/** Sends notes for as long as they are taken. */
function floodFor(asked: Asked): void {
  const note = { method: 'notifications/message', params: { level: 'info', data: 'x'.repeat(50_000) } }
  const go = (): void => {
    while (!asked.res.destroyed) if (!sendEvent(asked, note)) return void asked.res.once('drain', go)
  }
  go()
}

proves('CON-1', 'a client that takes nothing of its answer is cut off, and the upstream is let go of', async () => {
  // WHY: before 2026-07-28 an answer is read to its end or to this limit, also when its client has gone.
  const world = await startWorld({ env: { ...impatient, CASTELLAN_LIMITS__ANSWER_BYTES: String(24 * 1024 * 1024) } })
  const liar = await addLyingUpstream(world)
  const [token, port] = [await world.ana.mint('liar'), Number(new URL(world.gatewayUrl).port)]
  liar.answer = (asked) => (asked.method === 'tools/call' ? floodFor(asked) : answerHonestly(asked))
  const client = await openRaw({ port })
  client.socket.pause()
  const url = `${world.gatewayUrl}/servers/liar/mcp`
  client.socket.write(postOf(url, fieldsFor(token), JSON.stringify(callTool('echo'))))
  await expect.poll(() => liar.of('tools/call').length, slack).toBe(1)
  await expect.poll(() => liar.of('tools/call')[0]?.res.destroyed, slack).toBe(true)
  await expect.poll(async () => (await world.ledger('&event=call.completed')).length, slack).toBe(1)
  expect(await world.ledger('&event=call.completed')).toMatchObject([{ details: { isDelivered: false } }])
})
