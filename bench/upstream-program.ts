/**
 * The upstream behind every subject: a process of its own that answers each call at once with the same text under the id
 * it was asked with. Raw sockets, because the time it takes is the machine's and not the subject's. Prints its port.
 */
import { createServer, type AddressInfo } from 'node:net'
import { createHttpReader, type HttpMessage } from './http-reader.ts'
import { answerTo, discovery, handshakeResult, toolList } from './messages.ts'

let sessions = 0

function json(body: string, more = ''): string {
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${more}content-length: ${body.length}\r\n\r\n${body}`
}

function empty(status: string): string {
  return `HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`
}

function respond(id: unknown, result: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result })
}

function answer({ head, body }: HttpMessage): string {
  if (head.startsWith('GET')) return empty('405 Method Not Allowed')
  if (head.startsWith('DELETE')) return empty('200 OK')
  const { id, method } = JSON.parse(body) as { id?: unknown; method?: string }
  switch (method) {
    case 'tools/call':
      return json(answerTo(JSON.stringify(id)))
    case 'tools/list':
      return json(respond(id, toolList))
    case 'initialize':
      sessions += 1
      return json(respond(id, handshakeResult), `mcp-session-id: session-${sessions}\r\n`)
    case 'server/discover':
      return json(respond(id, discovery))
    case 'ping':
      return json(respond(id, {}))
    case undefined:
    default:
      return empty('202 Accepted')
  }
}

const server = createServer((socket) => {
  socket.setNoDelay(true)
  socket.setEncoding('latin1')
  socket.on('error', () => socket.destroy())
  const read = createHttpReader((message) => socket.write(answer(message), 'latin1'))
  socket.on('data', (text: string) => read(text))
})

server.listen(0, '127.0.0.1', () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`)
})
