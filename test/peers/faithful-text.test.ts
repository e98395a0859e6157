import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startWorld } from '../world/castellan.ts'
import { putBehind } from '../world/servers/peers.ts'

const odd =
  '{"big":18446744073709551615,"minus":-0,"huge":1e400,"tiny":1.0e-7,"text":"1e400","escaped":"\\u00e9\\/\\ud83d\\ude00\\u2028","caf\\u00e9":[ 1 , {"x-unknown" : null} ]}'
/** What a client may send of it: numbers that every reader keeps. */
const oddButExact = odd.replace('"big":18446744073709551615,', '').replace('"huge":1e400,', '')
const tool = '{"name":"odd","description":"caf\\u00e9","inputSchema":{"type":"object"},"x-unknown":{"kept":[1.50]}}'
const resource = `{"uri":"test://one","name":"one","size":9007199254740993,"x-odd":${odd}}`

/** A server that answers with texts as they are written here. Its lists have three pages, the second under ''. */
async function startTextServer() {
  const arrived: string[] = []
  const answers: Record<string, (cursor: unknown) => string> = {
    initialize: () =>
      '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"t","version":"1"}}',
    'tools/list': (cursor) =>
      cursor === undefined
        ? `{"tools":[ ${tool} ],"nextCursor":""}`
        : cursor === ''
          ? '{"nextCursor":"3","tools":[]}'
          : '{"tools":[]}',
    'resources/list': () => `{ "x-first" : ${odd}, "resources" : [ ${resource} , {"name":"no uri"} ],"ttlMs":1.0 }`,
    'tools/call': () => `{"content":[],"structuredContent":${odd},"x-unknown":-0}`,
  }
  const server = createServer(async (req, res) => {
    let body = ''
    for await (const chunk of req) body += String(chunk)
    arrived.push(body)
    const { id, method, params } = JSON.parse(body) as { id?: unknown; method: string; params?: { cursor?: unknown } }
    if (id === undefined) return void res.writeHead(202).end()
    const result = answers[method]?.(params?.cursor) ?? '{}'
    res
      .writeHead(200, { 'content-type': 'application/json' })
      .end(`{"result":${result} ,"id":${JSON.stringify(id)},"jsonrpc":"2.0"}\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, arrived }
}

async function start() {
  const [world, server] = [await startWorld(), await startTextServer()]
  const { token, tools } = await putBehind(world.ana, 'text', { url: server.url })
  const send = async (body: string) => {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    }
    const answer = await fetch(`${world.gatewayUrl}/servers/text/mcp`, { method: 'POST', headers, body })
    return answer.text()
  }
  return { server, tools, send }
}

test('a call and its result arrive to the letter, but for the ids: numbers, escapes, white space and unknown members', async () => {
  const { server, send } = await start()
  const sent = `{ "method":"tools/call","id":  "my id","params":{"name":"odd","arguments":${oddButExact},"x-unknown":${oddButExact}},"jsonrpc":"2.0"}`
  const answer = await send(sent)
  expect(answer).toBe(
    `{"result":{"content":[],"structuredContent":${odd},"x-unknown":-0} ,"id":"my id","jsonrpc":"2.0"}\n`,
  )
  const arrived = server.arrived.at(-1) ?? ''
  const { id } = JSON.parse(arrived) as { id: string }
  expect(id).not.toBe('my id')
  expect(arrived).toBe(sent.replace('"my id"', JSON.stringify(id)))
})

test('what a list still shows after filtering is as the server wrote it, and so is everything around it', async () => {
  const { send } = await start()
  const answer = await send('{"jsonrpc":"2.0","id":3,"method":"resources/list"}')
  expect(answer).toBe(
    `{"result":{ "x-first" : ${odd}, "resources" : [${resource}],"ttlMs":1.0 } ,"id":3,"jsonrpc":"2.0"}\n`,
  )
})

test('pages go on under an empty cursor until there is none', async () => {
  const { send, tools, server } = await start()
  expect(tools).toEqual(['odd'])
  const page = async (params: string) => {
    const { result } = JSON.parse(await send(`{"jsonrpc":"2.0","id":1,"method":"tools/list"${params}}`)) as {
      result: { tools: { name: string }[]; nextCursor?: string }
    }
    return { names: result.tools.map(({ name }) => name), next: result.nextCursor }
  }
  expect(await page('')).toEqual({ names: ['odd'], next: '' })
  expect(await page(',"params":{"cursor":""}')).toEqual({ names: [], next: '3' })
  expect(server.arrived.at(-1)).toContain('"params":{"cursor":""}')
  expect(await page(',"params":{"cursor":"3"}')).toEqual({ names: [], next: undefined })
})
