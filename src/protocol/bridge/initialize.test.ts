import { expect, test } from 'vitest'
import { isProblem, type Message, readMessage, readUpstreamMessage } from '../message.ts'
import { initializeResponse, readDiscovered, readIntroduction } from './initialize.ts'

function read(text: string, by: typeof readMessage | typeof readUpstreamMessage): Message {
  const message = by(text)
  if (isProblem(message)) throw new Error(message.problem)
  return message
}

function introduced(params: object) {
  return readIntroduction(read(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }), readMessage))
}

test('a legacy revision is agreed to; for any other the newest of those is offered', () => {
  for (const protocolVersion of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
    expect(introduced({ protocolVersion })?.revision).toBe(protocolVersion)
  }
  for (const protocolVersion of ['2026-07-28', '1.0', ''])
    expect(introduced({ protocolVersion })?.revision).toBe('2025-11-25')
  expect(introduced({})).toBeUndefined()
  expect(introduced({ protocolVersion: '2025-11-25', capabilities: [] })).toBeUndefined()
})

test('an elicitation that names no mode is the one for forms; tasks of either design are not repeated', () => {
  const capabilities = {
    roots: { listChanged: true },
    elicitation: {},
    tasks: { list: {} },
    extensions: { 'io.modelcontextprotocol/tasks': {}, 'example.com/x': { y: 1 } },
  }
  expect(introduced({ protocolVersion: '2025-11-25', capabilities })?.capabilities).toEqual({
    roots: {},
    elicitation: { form: {} },
    extensions: { 'example.com/x': { y: 1 } },
  })
  const url = { protocolVersion: '2025-11-25', capabilities: { elicitation: { url: {} } } }
  expect(introduced(url)?.capabilities).toEqual({ elicitation: { url: {} } })
})

test('what a client says of itself is repeated up to the limit, and left out one character past it', () => {
  const infoOf = (chars: number) => {
    const clientInfo = { name: 'x'.repeat(chars - '{"name":""}'.length) }
    return introduced({ protocolVersion: '2025-11-25', clientInfo })?.clientInfo
  }
  expect(infoOf(4_096)).toHaveLength(4_096)
  expect(infoOf(4_097)).toBeUndefined()
})

test('capabilities count up to the limit; one character past it the client can do nothing that has to be said', () => {
  const capabilitiesOf = (chars: number) => {
    const capabilities = { experimental: { x: 'x'.repeat(chars - '{"experimental":{"x":""}}'.length) } }
    return introduced({ protocolVersion: '2025-11-25', capabilities })?.capabilities
  }
  expect(JSON.stringify(capabilitiesOf(8_192))).toHaveLength(8_192)
  expect(capabilitiesOf(8_193)).toEqual({})
})

test('what a server says of itself is told as it was written, without what only 2026-07-28 has', () => {
  const capabilities =
    '{"tools":{"listChanged":true},"subscriptions":{},"extensions":{"io.modelcontextprotocol/tasks":{},"a/b":{"n":1.0}}}'
  const result = `{"supportedVersions":["2026-07-28"],"capabilities":${capabilities},"instructions":"Use it."}`
  const told = readDiscovered(read(`{"jsonrpc":"2.0","id":1,"result":${result}}`, readUpstreamMessage), 'notes')
  expect(initializeResponse('a', '2025-06-18', told ?? { capabilities: {}, members: '' })).toBe(
    '{"jsonrpc":"2.0","id":"a","result":{"protocolVersion":"2025-06-18",' +
      '"capabilities":{"tools":{"listChanged":true},"extensions":{"a/b":{"n":1.0}}},' +
      '"serverInfo":{"name":"notes","version":"0"},"instructions":"Use it."}}',
  )
  const older = '{"jsonrpc":"2.0","id":1,"result":{"supportedVersions":["2025-11-25"],"capabilities":{}}}'
  expect(readDiscovered(read(older, readUpstreamMessage), 'notes')).toBeUndefined()
})
