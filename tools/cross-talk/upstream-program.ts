/**
 * The server behind the gateway in the proof of cross-talk: it gives back what it was told, in every way the protocol has,
 * under ids, tokens, cursors and names that are the same for everybody. Usage: `upstream-program.ts legacy|modern|stdio`.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { type Asked, Conversation, type Said } from './upstream-conversation.ts'

function write(response: ServerResponse, status: number, said?: Said, session?: string): void {
  const text = said === undefined ? '' : JSON.stringify(said)
  const headers = { 'content-length': String(Buffer.byteLength(text)) }
  const more = session === undefined ? {} : { 'mcp-session-id': session }
  const type = text === '' ? {} : { 'content-type': 'application/json' }
  response.writeHead(status, { ...headers, ...more, ...type }).end(text)
}

async function read(request: IncomingMessage): Promise<Asked> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return JSON.parse(text) as Asked
}

/** Answers one posted request: as a stream when the conversation says more than its answer. */
async function answerPost(conversation: Conversation, asked: Asked, response: ServerResponse): Promise<void> {
  let isStream = false
  const say = (message: Said): void => {
    if (!isStream) response.writeHead(200, { 'content-type': 'text/event-stream' })
    isStream = true
    response.write(`data: ${JSON.stringify(message)}\n\n`)
  }
  const left = new Promise<void>((resolve) => response.once('close', resolve))
  const said = await conversation.answer(asked, { say, left })
  if (isStream) response.end(`data: ${JSON.stringify(said)}\n\n`)
  else write(response, said.error === undefined || !conversation.isModern ? 200 : 404, said)
}

/** The stream of what belongs to no request; whoever comes later has it. */
function listenTo({ conversation }: Opened, response: ServerResponse): () => void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  const stop = conversation.tellNews((message) => response.write(`data: ${JSON.stringify(message)}\n\n`))
  response.once('close', stop)
  return () => {
    stop()
    response.end()
  }
}

interface Opened {
  readonly conversation: Conversation
  /** Ends the stream of news that is open. */
  leave: () => void
}

function serveLegacy(): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const sessions = new Map<string, Opened>()
  return async (request, response) => {
    const id = String(request.headers['mcp-session-id'])
    const session = sessions.get(id)
    if (request.method === 'DELETE') {
      session?.leave()
      return write(response, sessions.delete(id) ? 200 : 404)
    }
    if (request.method === 'GET' && session !== undefined) {
      session.leave()
      session.leave = listenTo(session, response)
      return
    }
    if (request.method !== 'POST') return write(response, session === undefined ? 404 : 405)
    const asked = await read(request)
    if (asked.method === 'initialize') {
      const opened = new Conversation(false)
      const name = randomUUID()
      sessions.set(name, { conversation: opened, leave: () => undefined })
      return write(response, 200, await opened.answer(asked), name)
    }
    if (session === undefined) return write(response, asked.method === 'server/discover' ? 400 : 404)
    if (asked.method === undefined) session.conversation.hear(asked)
    if (asked.id === undefined || asked.method === undefined) return write(response, 202)
    await answerPost(session.conversation, asked, response)
  }
}

function serveModern(): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const conversation = new Conversation(true)
  return async (request, response) => {
    if (request.method !== 'POST') return write(response, 405)
    const asked = await read(request)
    if (asked.id === undefined) return write(response, 202)
    await answerPost(conversation, asked, response)
  }
}

function listen(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>): void {
  const server = createServer((request, response) => {
    response.on('error', () => undefined)
    answer(request, response).catch(() => response.destroy())
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => console.log(`listening on ${(server.address() as AddressInfo).port}`))
}

function converse(): void {
  const conversation = new Conversation(false)
  const say = (said: Said): void => void process.stdout.write(`${JSON.stringify(said)}\n`)
  conversation.tellNews(say)
  createInterface({ input: process.stdin }).on('line', (line) => {
    const asked = JSON.parse(line) as Asked
    if (asked.method === undefined) conversation.hear(asked)
    else if (asked.id !== undefined) void conversation.answer(asked, { say }).then(say)
  })
}

const [kind] = process.argv.slice(2)
if (kind === 'stdio') converse()
else listen(kind === 'modern' ? serveModern() : serveLegacy())
