import { expect, test } from 'vitest'
import { isProblem, type Message, readUpstreamMessage } from '../message.ts'
import { answeredRequest, canBeAsked, legacyAsk, readInputRequired } from './input-requests.ts'
import { kindOfResult, legacyNotification, legacyResponse } from './legacy-response.ts'

function read(text: string): Message {
  const message = readUpstreamMessage(text)
  if (isProblem(message)) throw new Error(message.problem)
  return message
}

const respond = (result: string, method = 'tools/list') =>
  legacyResponse(read(`{"jsonrpc":"2.0","id":"n","result":${result}}`), { id: 5, method })
const response = (result: string) => `{"jsonrpc":"2.0","id":5,"result":${result}}`

test('what only 2026-07-28 has goes, the rest stays as it was written', () => {
  const meta = '"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}}'
  expect(respond(`{"resultType":"complete","tools":[{"ttlMs":1}],"ttlMs":1.0,"cacheScope":"public",${meta}}`)).toBe(
    response('{"tools":[{"ttlMs":1}]}'),
  )
  expect(respond('{"tools":[],"_meta":{"own":1e400}}')).toBe(response('{"tools":[],"_meta":{"own":1e400}}'))
})

test.each([
  [
    '{"content":[],"structuredContent":[1.0]}',
    '{"content":[{"type":"text","text":"[1.0]"}],"structuredContent":{"result":[1.0]}}',
  ],
  ['{"structuredContent":null}', '{"content":[{"type":"text","text":"null"}],"structuredContent":{"result":null}}'],
  [
    '{"content":[{"type":"image"}],"structuredContent":"a"}',
    '{"content":[{"type":"image"},{"type":"text","text":"\\"a\\""}],"structuredContent":{"result":"a"}}',
  ],
  [
    '{"content":[{"type":"text","text":"told"}],"structuredContent":1}',
    '{"content":[{"type":"text","text":"told"}],"structuredContent":{"result":1}}',
  ],
  ['{"content":[],"structuredContent":{"a":1}}', '{"content":[],"structuredContent":{"a":1}}'],
])('of a tool, %s is told as %s', (modern, legacy) => {
  expect(respond(modern, 'tools/call')).toBe(response(legacy))
})

test('an error keeps its code and words, unless it is about our own hop', () => {
  const error = (text: string) => legacyResponse(read(text), { id: 5, method: 'tools/call' })
  expect(error('{"jsonrpc":"2.0","id":"n","error":{"code":-32602,"message":"m","data":{"uri":"u"}}}')).toBe(
    '{"jsonrpc":"2.0","id":5,"error":{"code":-32602,"message":"m","data":{"uri":"u"}}}',
  )
  expect(error('{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}')).toBe(
    '{"jsonrpc":"2.0","id":5,"error":{"code":1,"message":"m"}}',
  )
  const hop = error(
    '{"jsonrpc":"2.0","id":"n","error":{"code":-32021,"message":"m","data":{"requiredCapabilities":{}}}}',
  )
  expect(hop).toContain('-32603')
  expect(hop).not.toContain('requiredCapabilities')
})

test('a kind of result that is not known is not taken for one that is', () => {
  expect(kindOfResult({})).toBe('complete')
  expect(kindOfResult({ resultType: 'complete' })).toBe('complete')
  expect(kindOfResult({ resultType: 'input_required' })).toBe('input-required')
  for (const resultType of ['task', '', 1, {}, 'Complete']) expect(kindOfResult({ resultType })).toBe('unknown')
})

test('news names no subscription', () => {
  const text =
    '{"method":"notifications/resources/updated","jsonrpc":"2.0","params":{"uri":"u","_meta":{"io.modelcontextprotocol/subscriptionId":"n"}}}'
  expect(legacyNotification(read(text))).toBe(
    '{"method":"notifications/resources/updated","jsonrpc":"2.0","params":{"uri":"u"}}',
  )
})

const asking =
  '{"resultType":"input_required","requestState":"s\\u00e9","inputRequests":{"a":{"method":"elicitation/create","params":{"mode":"form","message":"m","requestedSchema":{"min":1.0}}}}}'

test('a question is asked in the words of the client’s revision', () => {
  const required = readInputRequired(read(`{"jsonrpc":"2.0","id":"n","result":${asking}}`))
  const [request] = required?.requests ?? []
  if (request === undefined) throw new Error('nothing is asked')
  const ask = (revision: string) => legacyAsk(request, { id: 'q', revision, elicitationId: 'e' })
  const head = '{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":'
  expect(ask('2025-11-25')).toBe(`${head}{"mode":"form","message":"m","requestedSchema":{"min":1.0}}}`)
  expect(ask('2025-06-18')).toBe(`${head}{"message":"m","requestedSchema":{"min":1.0}}}`)
  const url = { ...request, params: { mode: 'url', url: 'https://a' }, paramsText: '{"mode":"url","url":"https://a"}' }
  expect(JSON.parse(legacyAsk(url, { id: 'q', revision: '2025-11-25', elicitationId: 'e' }))).toMatchObject({
    params: { mode: 'url', url: 'https://a', elicitationId: 'e' },
  })
  expect(canBeAsked({ elicitation: { form: {} } }, request)).toBe(true)
  expect(canBeAsked({ elicitation: { url: {} } }, request)).toBe(false)
  expect(canBeAsked({ sampling: {} }, { ...request, method: 'sampling/createMessage', params: { tools: [] } })).toBe(
    false,
  )
})

test('the request goes out again with the answers and the state to the letter', () => {
  const sent = read(
    '{"jsonrpc":"2.0","id":"n","method":"tools/call","params":{"name":"t","arguments":{"x":1.10},"_meta":{}}}',
  )
  const again = answeredRequest(sent, 'n2', { responses: [['a', '{"content":{"y":1.00}}']], stateText: '"s\\u00e9"' })
  expect(again).toBe(
    '{"jsonrpc":"2.0","id":"n2","method":"tools/call","params":{"inputResponses":{"a":{"content":{"y":1.00}}},"requestState":"s\\u00e9","name":"t","arguments":{"x":1.10},"_meta":{}}}',
  )
  const third = answeredRequest(read(again), 'n3', { responses: [], stateText: undefined })
  expect(third).toBe(
    '{"jsonrpc":"2.0","id":"n3","method":"tools/call","params":{"name":"t","arguments":{"x":1.10},"_meta":{}}}',
  )
})
