import { openDatabase } from '#platform/database'
import { expect, onTestFinished, test } from 'vitest'
import { freshSqlite } from '../../../test/world/databases.ts'
import { ModernClient } from '../../../test/world/servers/modern-client.ts'
import { answerAsOfOld, type Asked, startOldServer } from '../../../test/world/servers/old-server.ts'
import { addUpstream, openUpstreams } from '../../../test/world/servers/upstreams.ts'

async function behind(answer: (asked: Asked) => void) {
  const server = await startOldServer()
  const database = await openDatabase({ url: await freshSqlite() })
  onTestFinished(() => database.close())
  const { upstreams } = await openUpstreams(database)
  const upstream = await addUpstream({ upstreams } as never, 'some', { url: server.url })
  const { exchange } = upstreams
  const client = (deadlineMs = 15_000) => new ModernClient({ exchange, upstream, deadlineMs })
  server.answer = answer
  return { server, client }
}

/** Says something again and again, and never what it was asked. */
function chatter(asked: Asked): void {
  const timer = setInterval(() => asked.event({ method: 'notifications/message', params: {} }), 20)
  onTestFinished(() => clearInterval(timer))
}

test('a handshake that says something for ever is over at its deadline, and the next one begins anew', async () => {
  let isChatty = true
  const { server, client } = await behind((asked) => {
    if (asked.method === 'initialize' && isChatty) chatter(asked)
    else answerAsOfOld(asked)
  })
  await expect(client(300).call('x')).rejects.toMatchObject({ code: 'upstream.timeout' })
  isChatty = false
  expect((await client().call('x')).status).toBe(200)
  expect(server.of('initialize')).toHaveLength(2)
})

test('who leaves during a handshake does not wait for it, and who comes meanwhile uses it', async () => {
  const opening: Asked[] = []
  const { server, client } = await behind((asked) => {
    if (asked.method === 'initialize') opening.push(asked)
    else answerAsOfOld(asked)
  })
  const hangUp = new AbortController()
  const asked = client().ask('tools/call', { name: 'x' }, { signal: hangUp.signal })
  const left = asked.catch((error: unknown) => error)
  await expect.poll(() => opening.length).toBe(1)
  hangUp.abort()
  expect(await left).toMatchObject({ code: 'upstream.cancelled' })
  const other = client().call('x')
  for (const handshake of opening) answerAsOfOld(handshake)
  expect((await other).status).toBe(200)
  expect(server.of('initialize')).toHaveLength(1)
})

test('a server may say 512 KiB of itself; one byte more opens no session', async () => {
  const limit = 512 * 1024
  for (const [bytes, isOpened] of [
    [limit, true],
    [limit + 1, false],
  ] as const) {
    const { client } = await behind((asked) => {
      if (asked.method !== 'initialize') return answerAsOfOld(asked)
      const textOf = (instructions: string): string => {
        const result = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: {}, instructions }
        return JSON.stringify({ jsonrpc: '2.0', id: asked.id, result })
      }
      asked.text(textOf('x'.repeat(bytes - textOf('').length)))
    })
    const discovered = client().ask('server/discover')
    if (isOpened) expect((await discovered).status).toBe(200)
    else await expect(discovered).rejects.toMatchObject({ code: 'upstream.answer-too-large' })
  }
})

test('a server that answers with an endless stream to what is only told holds up nobody', async () => {
  const { client } = await behind((asked) => {
    if (asked.id === undefined && asked.method !== undefined) chatter(asked)
    else answerAsOfOld(asked)
  })
  expect((await client(5_000).call('x')).status).toBe(200)
})
