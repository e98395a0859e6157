/**
 * An upstream sends without end, and a client takes nothing of what it is sent. Neither may fill the memory, and the
 * client that stalls must not outlive its revocation.
 */
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import {
  addLyingUpstream,
  answerHonestly,
  type Asked,
  type LyingUpstream,
  sendEvent,
} from '../world/servers/lying-upstream.ts'

const largeAnswers = { CASTELLAN_LIMITS__ANSWER_BYTES: String(1024 * 1024 * 1024) }
const note = { method: 'notifications/message', params: { level: 'info', data: 'x'.repeat(20_000) } }

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Streams notes as fast as they are taken, `count` of them, then the response. */
function flood(asked: Asked, count: number, atEnd: () => void): void {
  let sent = 0
  const go = (): void => {
    while (sent < count && !asked.res.destroyed) {
      sent += 1
      if (!sendEvent(asked, note)) return void asked.res.once('drain', go)
    }
    atEnd()
    sendEvent(asked, { id: asked.id, result: { content: [] } })
    asked.res.end()
  }
  go()
}

function floodCalls(liar: LyingUpstream, count: number, atEnd: () => void = () => undefined): void {
  liar.answer = (asked) => (asked.method === 'tools/call' ? flood(asked, count, atEnd) : answerHonestly(asked))
}

function open(world: World, token: string) {
  const call = request(`${world.gatewayUrl}/servers/liar/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
  })
  call.on('error', () => undefined)
  call.end(JSON.stringify(callTool('echo')))
  return call
}

proves('UPS-2', 'what has been sent of a long stream is not kept', async () => {
  const world = await startWorld({ env: largeAnswers })
  const liar = await addLyingUpstream(world)
  const token = await world.ana.mint('liar')
  const heapBytes = (): number => {
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  let grownBytes = Number.POSITIVE_INFINITY
  const before = heapBytes()
  floodCalls(liar, 5_000, () => (grownBytes = heapBytes() - before))
  const takenBytes = await new Promise<number>((resolve) => {
    open(world, token).once('response', (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => (bytes += chunk.length)).once('end', () => resolve(bytes))
    })
  })
  expect(takenBytes).toBeGreaterThan(100_000_000)
  expect(grownBytes).toBeLessThan(30_000_000)
  expect(await entriesOf(world, 'event=call.completed', 1)).toMatchObject([{ outcome: 'succeeded' }])
})

proves(['UPS-2', 'AUT-4'], 'a client that takes nothing is cut like any other when its token is revoked', async () => {
  const world = await startWorld({ env: largeAnswers })
  const liar = await addLyingUpstream(world)
  const token = await world.ana.mint('liar')
  floodCalls(liar, Number.POSITIVE_INFINITY)
  const call = open(world, token)
  const response = await new Promise<NodeJS.ReadableStream>((resolve) => call.once('response', resolve))
  response.pause()
  await sleep(500)
  const { body } = await world.ana.api('GET', '/tokens')
  for (const { id } of body['items'] as { id: string }[]) await world.ana.api('DELETE', `/tokens/${id}`)
  const until = Date.now() + 3_000
  while (!liar.of('tools/call')[0]?.res.destroyed && Date.now() < until) await sleep(20)
  expect(liar.of('tools/call')[0]?.res.destroyed).toBe(true)
  const cut = await entriesOf(world, 'event=call.cut', 1)
  expect(cut).toMatchObject([{ refusal: 'identity.token-invalid' }])
  const closed = new Promise((resolve) => call.once('close', resolve))
  response.resume()
  await closed
})
