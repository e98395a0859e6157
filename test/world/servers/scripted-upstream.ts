import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { atEnd } from '../../ending.ts'

type Json = Record<string, unknown>

/** A tool by its name: what it answers to its arguments. */
export type Script = Readonly<Record<string, (given: Json) => string>>

/** A server over HTTP of 2025-11-25, without sessions, that answers by a script and keeps every byte it received. */
export interface ScriptedUpstream {
  readonly url: string
  /** Bodies and addresses of all that arrived, handshakes and lists included. */
  received(): string
}

function resultOf(
  script: Script,
  resources: Script,
  { method, params = {} }: { method?: string; params?: Json },
): Json {
  if (method === 'initialize') {
    const capabilities = { tools: {}, resources: {} }
    return { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'scripted', version: '1.0.0' } }
  }
  if (method === 'tools/list') {
    const inputSchema = { type: 'object' }
    return { tools: Object.keys(script).map((name) => ({ name, description: `The ${name} tool.`, inputSchema })) }
  }
  if (method === 'resources/read') {
    const uri = String(params['uri'])
    return { contents: [{ uri, text: resources[uri]?.({}) ?? '' }] }
  }
  const text = script[String(params['name'])]?.((params['arguments'] ?? {}) as Json) ?? ''
  return { content: [{ type: 'text', text }] }
}

/** Starts one that ends with the running test. */
export async function startScriptedUpstream(script: Script, resources: Script = {}): Promise<ScriptedUpstream> {
  let received = ''
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    let text = ''
    for await (const chunk of req) text += String(chunk)
    received += `${req.url} ${text}\n`
    if (req.method !== 'POST') return void res.writeHead(405).end()
    const message = JSON.parse(text) as { id?: unknown; method?: string; params?: Json }
    if (message.id === undefined) return void res.writeHead(202).end()
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result: resultOf(script, resources, message) }))
  }
  const server = createServer((req, res) => void answer(req, res))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, received: () => received }
}
