import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { atEnd } from '../../ending.ts'

export interface Question {
  readonly id: string | number
  readonly method: string
  readonly params: Record<string, unknown>
}

/** What is answered: a result, an error, or nothing for as long as the test runs. */
export type Reply = { readonly result: object } | { readonly error: object } | 'silence'

/** A server of 2026-07-28 over HTTP that answers what the test says, and keeps what it was asked. */
export interface TellingServer {
  readonly url: string
  readonly asked: readonly Question[]
  /** Notifies everybody who listens. */
  notify(method: string, params?: Record<string, unknown>): void
  /** Ends every subscription, as a server does that breaks down. */
  breakStreams(): void
  /** Subscriptions that are open right now. */
  listeners(): number
  /** Refuses everybody from here on, as a server does that is gone. */
  die(): void
}

const listed = { resultType: 'complete', ttlMs: 60_000, cacheScope: 'public' }
const capabilities = { tools: { listChanged: true }, resources: { subscribe: true }, prompts: {} }

async function read(req: IncomingMessage): Promise<Question> {
  let text = ''
  for await (const chunk of req) text += String(chunk)
  return JSON.parse(text) as Question
}

function write(res: ServerResponse, message: object): void {
  res.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
}

function send(res: ServerResponse, status: number, message: object): void {
  res.writeHead(status, { 'content-type': 'application/json' })
  res.end(JSON.stringify({ jsonrpc: '2.0', ...message }))
}

const marked = (id: string | number) => ({ 'io.modelcontextprotocol/subscriptionId': id })

/** @param reply answers a request; undefined leaves it to what every server says. Ends with the running test. */
export async function startTellingServer(reply: (asked: Question) => Reply | undefined): Promise<TellingServer> {
  const asked: Question[] = []
  const open = new Map<ServerResponse, string | number>()
  const listen = (res: ServerResponse, { id, params }: Question): void => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    const { notifications } = params
    write(res, { method: 'notifications/subscriptions/acknowledged', params: { notifications, _meta: marked(id) } })
    open.set(res, id)
    res.once('close', () => open.delete(res))
  }
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const question = await read(req)
    const { id, method } = question
    asked.push(question)
    const told = reply(question)
    if (told === 'silence') return
    if (told !== undefined) return send(res, 200, { id, ...told })
    if (method === 'subscriptions/listen') return listen(res, question)
    if (method === 'server/discover') {
      return send(res, 200, { id, result: { ...listed, supportedVersions: ['2026-07-28'], capabilities } })
    }
    send(res, 404, { id, error: { code: -32601, message: 'method not found' } })
  }
  const server = createServer((req, res) => void answer(req, res).catch(() => res.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const die = (): void => {
    server.closeAllConnections()
    server.close()
  }
  atEnd(die)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    asked,
    notify(method, params = {}) {
      for (const [res, id] of open) write(res, { method, params: { ...params, _meta: marked(id) } })
    },
    breakStreams: () => open.forEach((_, res) => res.destroy()),
    listeners: () => open.size,
    die,
  }
}

/** The answer to a list. */
export function listOf(member: string, items: readonly object[], nextCursor?: string): Reply {
  return { result: { ...listed, [member]: items, ...(nextCursor === undefined ? {} : { nextCursor }) } }
}

/** A tool that is nothing but its name. */
export function toolNamed(name: string) {
  return { name, description: `The tool ${name}.`, inputSchema: { type: 'object' } }
}

/** The answer to a call: one text. */
export function saying(text: string): Reply {
  return { result: { resultType: 'complete', content: [{ type: 'text', text }] } }
}
