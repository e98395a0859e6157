import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startLoad } from './load.ts'
import { answerText } from './messages.ts'
import { startProxy, startUpstream } from './subjects.ts'

const order = { connections: 4, seconds: 0.2 }

function openLoad() {
  const load = startLoad()
  onTestFinished(load.end)
  return load
}

test('calls are answered directly and through the bare proxy, in both eras, without an error', async () => {
  const load = openLoad()
  const upstream = await startUpstream()
  onTestFinished(upstream.end)
  const bare = await startProxy('bare', upstream.url)
  onTestFinished(bare.end)
  for (const subject of [upstream, bare]) {
    for (const era of ['legacy', 'modern'] as const) {
      const { calls, errors, p50Ms } = await load.run({ target: subject.target(era), ...order })
      expect({ errors, isBusy: calls > 4, isTimed: p50Ms > 0 }).toEqual({ errors: 0, isBusy: true, isTimed: true })
    }
  }
})

test.each([
  ['another id', (id: number) => ({ id: id + 1, result: { content: [{ type: 'text', text: answerText }] } })],
  ['another text', (id: number) => ({ id, result: { content: [{ type: 'text', text: 'no' }] } })],
  ['an error', (id: number) => ({ id, error: { code: -32603, message: 'no' } })],
])('an answer with %s is an error', async (_, answer) => {
  const server = createServer(async (request, response) => {
    const body = await request.toArray()
    const { id } = JSON.parse(Buffer.concat(body).toString()) as { id: number }
    response.end(JSON.stringify({ jsonrpc: '2.0', ...answer(id) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  onTestFinished(() => server.closeAllConnections())
  const { port } = server.address() as AddressInfo
  const target = { port, host: 'x', path: '/', tokens: [], era: 'modern' as const }
  const { calls, errors } = await openLoad().run({ target, ...order })
  expect(calls).toBeGreaterThan(0)
  expect(errors).toBe(calls)
})
