/**
 * Brackets in brackets in brackets: readers that call themselves for each level run out of stack, and others out of
 * memory. Mallory sends as many as fit into a body; a hostile server answers with them.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly } from '../world/servers/lying-upstream.ts'
import { entriesOf } from '../world/edge/entries.ts'

const nest = (levels: number, open: string, close: string): string => open.repeat(levels) + '1' + close.repeat(levels)
const brackets = [
  ['[', ']'],
  ['{"a":', '}'],
] as const

/** Levels left for a value: the message, its params and the arguments are three of the 64. */
const deepest = 64 - 3

proves('MSG-2', 'a message nests to the limit and not one level deeper, in both eras', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  for (const { message, headers } of [{ message: callTool('echo'), headers: {} }, modern(callTool('echo') as never)]) {
    for (const [open, close] of brackets) {
      const call = (levels: number) => JSON.stringify(message).replace('"hello"', nest(levels, open, close))
      const before = world.books.calls('tools/call').length
      expect((await world.post({ token, headers, message: call(deepest) })).status).toBe(200)
      expect(world.books.calls('tools/call').at(-1)?.body).toContain(nest(deepest, open, close))
      expect((await world.post({ token, headers, message: call(deepest + 1) })).body).toMatchObject({
        error: { code: -32600 },
      })
      expect(world.books.calls('tools/call')).toHaveLength(before + 1)
    }
  }
  expect(await world.ledger('&refusal=gateway.message-refused')).toHaveLength(4)
})

proves('MSG-2', 'bodies full of brackets cost no more than other bodies, and everybody else is served', async () => {
  const world = await startWorld()
  const [ben, mallory] = [await world.join('ben', [reader]), await world.join('mallory', [reader])]
  const [benToken, malloryToken] = [await ben.mint('books'), await mallory.mint('books')]
  const full = 4 * 1024 * 1024
  const evil = ['['.repeat(full), '{"a":'.repeat(full / 5), `${'['.repeat(full / 2)}${']'.repeat(full / 2)}`]
  const used = process.cpuUsage()
  const refused = evil.map((message) => world.post({ token: malloryToken, message }))
  expect((await world.post({ token: benToken, message: callTool('echo') })).status).toBe(200)
  for (const answer of await Promise.all(refused)) expect(answer.body).toMatchObject({ error: { code: -32600 } })
  const { user, system } = process.cpuUsage(used)
  expect((user + system) / 1_000_000).toBeLessThan(5)
  expect(world.books.calls('tools/call')).toHaveLength(1)
  expect(await world.ledger('&refusal=gateway.message-refused')).toHaveLength(evil.length)
})

proves(
  ['MSG-2', 'UPS-1'],
  'an answer that nests beyond the limit costs its caller an error, whole or as an event',
  async () => {
    const world = await startWorld()
    const liar = await addLyingUpstream(world)
    const token = await world.ana.mint('liar')
    for (const isStream of [false, true]) {
      for (const [levels, isRead] of [
        [62, true],
        [63, false],
        [500_000, false],
      ] as const) {
        liar.answer = (asked) => {
          if (asked.method !== 'tools/call') return answerHonestly(asked)
          const text = `{"jsonrpc":"2.0","id":${JSON.stringify(asked.id)},"result":{"deep":${nest(levels, '[', ']')}}}`
          asked.res.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' })
          asked.res.end(isStream ? `data: ${text}\n\n` : text)
        }
        const answer = await world.post({ token, upstream: 'liar', message: callTool('echo') })
        expect(answer.body, String(levels)).toMatchObject(
          isRead ? { id: 1, result: {} } : { id: 1, error: { code: -32603 } },
        )
      }
    }
    const completed = await entriesOf(world, 'event=call.completed', 6)
    expect(completed.map(({ outcome }) => outcome)).toEqual(
      [...Array(2)].flatMap(() => ['succeeded', 'failed', 'failed']),
    )
  },
)
