/** The server behind the gateway in the proof of kills: a process of its own whose record outlives every kill. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Asked {
  readonly id?: string | number
  readonly method?: string
  readonly params?: { readonly protocolVersion?: string; readonly arguments?: { readonly text?: string } }
}

const longestWorkMs = 12
const tools = [
  {
    name: 'echo',
    description: 'Returns its text.',
    inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
  },
]

const [recordPath = ''] = process.argv.slice(2)
const record = openSync(recordPath, 'a')
process.once('exit', () => closeSync(record))

async function read(request: IncomingMessage): Promise<Asked> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return (text === '' ? {} : JSON.parse(text)) as Asked
}

function reply(response: ServerResponse, id: Asked['id'], body: object): void {
  const text = JSON.stringify({ jsonrpc: '2.0', id, ...body })
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
}

function resultOf({ method, params }: Asked): object | undefined {
  if (method === 'initialize') {
    const serverInfo = { name: 'recorder', version: '1.0.0' }
    return { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo }
  }
  return method === 'tools/list' ? { tools } : undefined
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST') return void response.writeHead(405).end()
  const asked = await read(request)
  if (asked.id === undefined) return void response.writeHead(202).end()
  if (asked.method === 'tools/call') {
    const text = asked.params?.arguments?.text ?? ''
    // INVARIANT: on record before anything else can happen to this request.
    writeSync(record, `${text}\n`)
    const result = { content: [{ type: 'text', text }] }
    setTimeout(() => reply(response, asked.id, { result }), Math.random() * longestWorkMs)
    return
  }
  const result = resultOf(asked)
  reply(response, asked.id, result === undefined ? { error: { code: -32601, message: 'unknown method' } } : { result })
}

const server = createServer((request, response) => {
  response.on('error', () => undefined)
  answer(request, response).catch(() => response.destroy())
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log(`listening on ${(server.address() as AddressInfo).port}`))
