/**
 * Event streams are lines of text. A hostile server puts line ends, fields and whole events where they do not belong,
 * cuts them into single bytes, and hopes that something of it reaches the client as an event, a position or a time to
 * wait that nobody inspected.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, type Asked } from '../world/servers/lying-upstream.ts'
import { entriesOf } from '../world/edge/entries.ts'

const note = (data: string): string =>
  JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data } })
const evil = '{"jsonrpc":"2.0","id":"other","result":{"content":["evil"]}}'

/** Events of the server, and the notes of it that the client may see. */
const events: [text: string, seen: string[]][] = [
  [`data: ${note('plain')}\n\n`, ['plain']],
  [`event: message\r\ndata: ${note('with returns')}\r\n\r\n`, ['with returns']],
  [`data:${note('returns alone')}\r\r`, ['returns alone']],
  [`event: endpoint\ndata: /evil\n\n`, []],
  [`event: message \ndata: ${note('evil type')}\n\n`, []],
  [`event: evil\nevent: message\ndata: ${note('last type counts')}\n\n`, ['last type counts']],
  [`data: ${evil}\n\n`, []],
  [`data: ${note('one')}\ndata: ${note('evil: two in one event')}\n\n`, []],
  [
    `data: {"jsonrpc":"2.0",\ndata: "method":"notifications/message",\ndata: "params":{"data":"in lines"}}\n\n`,
    ['in lines'],
  ],
  [
    `data: ${note('escaped\r\n\r\ndata: evil\n\nid: 9\nevent: evil')}\n\n`,
    ['escaped\r\n\r\ndata: evil\n\nid: 9\nevent: evil'],
  ],
  [
    `data: ${note('separators \u2028data: evil\u2029\u0085\u000b\u000c')}\n\n`,
    ['separators \u2028data: evil\u2029\u0085\u000b\u000c'],
  ],
  [`data: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":"cut\rdata: evil"}}\n\n`, []],
  [`data: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":"nul\u0000"}}\n\n`, []],
  [`\ufeffdata: ${note('evil mark')}\n\n`, []],
  [` data: ${note('evil space')}\n\n`, []],
  [`DATA: ${note('evil capitals')}\n\n`, []],
  [`data : ${note('evil space after')}\n\n`, []],
  [`x-evil: 1\nset-cookie: evil\n: evil comment\revil: 2\ndata: ${note('between')}\n\n`, ['between']],
  [`retry: 999999999\ndata: ${note('long wait')}\n\n`, ['long wait']],
  [`retry: 1e9\nretry: -1\nretry: 10\u0000\ndata: ${note('no wait')}\n\n`, ['no wait']],
  [`id: evil\u0000id\ndata: ${note('no position')}\n\n`, ['no position']],
  [`id: ${'evil'.repeat(5_000)}\ndata: ${note('too long a position')}\n\n`, ['too long a position']],
  [`id: evil\u2028id\ndata: ${note('a position')}\n\n`, ['a position']],
  [`id\ndata: ${note('an empty position')}\n\n`, ['an empty position']],
  [`: evil\n\n`, []],
  [`\n\n\n\r\r\r\n`, []],
]

const line = /^(?:|:|event: message|id: a256gcm\.[\w-]+\.[\w-]+|retry: \d{1,5}|data: [^\r\n]*)$/

async function call(world: World, token: string, isModern: boolean): Promise<string> {
  const { message, headers } = isModern ? modern(callTool('echo') as never) : { message: callTool('echo'), headers: {} }
  const types = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const answer = await fetch(`${world.gatewayUrl}/servers/liar/mcp`, {
    method: 'POST',
    headers: { ...types, ...headers, authorization: `Bearer ${token}` },
    body: JSON.stringify(message),
  })
  return answer.text()
}

/** Sends the bytes in pieces of this many, each after the one before is on its way. */
async function sendInPieces({ res, id }: Asked, bytesEach: number): Promise<void> {
  const response = JSON.stringify({ jsonrpc: '2.0', id, result: { content: [] } })
  const all = Buffer.from(
    `${events.map(([text]) => text).join('')}data: ${response}\n\ndata: ${note('evil: after the end')}\n\n`,
  )
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  for (let at = 0; at < all.length && !res.destroyed; at += bytesEach) {
    await new Promise((sent) => res.write(all.subarray(at, at + bytesEach), sent))
  }
  res.end()
}

for (const [how, bytesEach, isModern] of [
  ['at once', 1_000_000, false],
  ['at once, in the modern era', 1_000_000, true],
  ['in single bytes', 1, false],
  ['in sevens', 7, true],
] as const) {
  proves('UPS-4', `only inspected messages, sealed positions and short waits leave, sent ${how}`, async () => {
    const world = await startWorld()
    const liar = await addLyingUpstream(world)
    const token = await world.ana.mint('liar')
    liar.answer = (asked) => {
      if (asked.method === 'tools/call') void sendInPieces(asked, bytesEach)
      else answerHonestly(asked)
    }
    const text = await call(world, token, isModern)
    const lines = text.split(/\r\n|\r|\n/)
    for (const each of lines) expect(each).toMatch(line)
    const bodies = text.split('\n\n').map((each) =>
      each
        .split('\n')
        .filter((field) => field.startsWith('data: '))
        .map((field) => field.slice('data: '.length))
        .join('\n'),
    )
    const messages = bodies
      .filter((body) => body !== '')
      .map((body) => JSON.parse(body) as { params?: { data: string }; id?: unknown })
    expect(messages.flatMap(({ params }) => params?.data ?? [])).toEqual(events.flatMap(([, seen]) => seen))
    expect(messages.at(-1)).toMatchObject({ id: 1, result: { content: [] } })
    const waits = [...text.matchAll(/^retry: (\d+)$/gm)].map(([, ms]) => Number(ms))
    expect(waits).toEqual([60_000])
    const [completed] = await entriesOf(world, 'event=call.completed', 1)
    expect(completed).toMatchObject({ outcome: 'succeeded', details: { withheld: expect.any(Number) } })
    expect(liar.of('tools/call')).toHaveLength(1)
  })
}

proves(['UPS-4', 'UPS-2'], 'a field without end is cut at the limit, and its caller is told', async () => {
  const world = await startWorld()
  const liar = await addLyingUpstream(world)
  const token = await world.ana.mint('liar')
  for (const field of ['data: ', 'id: ', 'x', ': ', 'event: ']) {
    liar.answer = (asked) => {
      if (asked.method !== 'tools/call') return answerHonestly(asked)
      asked.res.writeHead(200, { 'content-type': 'text/event-stream' })
      const go = (): void => {
        while (!asked.res.destroyed) if (!asked.res.write('x'.repeat(65_536))) return void asked.res.once('drain', go)
      }
      asked.res.write(field, go)
    }
    const text = await call(world, token, false)
    expect(text, field).toContain('-32603')
    expect(text.length).toBeLessThan(2_000)
  }
  const completed = await entriesOf(world, 'event=call.completed', 5)
  expect(completed.map(({ outcome }) => outcome)).toEqual(Array(5).fill('failed'))
})
