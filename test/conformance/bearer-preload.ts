/**
 * Loaded before the official suite, which has no option for an access token: adds it to each request to the gateway and
 * changes nothing else, by the channels that Node publishes for this. Keeps which exchanges the answers named.
 */
import { subscribe } from 'node:diagnostics_channel'
import { writeFileSync } from 'node:fs'
import type { ClientRequest, IncomingMessage } from 'node:http'

const { CONFORMANCE_ORIGIN: origin = '', CONFORMANCE_TOKEN: token = '', CONFORMANCE_TRACE: trace = '' } = process.env
const authorization = `Bearer ${token}`
const exchanges: string[] = []
let requests = 0

interface UndiciRequest {
  readonly origin: string | URL
  addHeader(name: string, value: string): void
}

/** Every `fetch` and every request of the package `undici`, whichever copy of it. */
subscribe('undici:request:create', (message) => {
  const { request } = message as { request: UndiciRequest }
  if (new URL(request.origin).origin !== origin) return
  requests += 1
  request.addHeader('authorization', authorization)
})
subscribe('undici:request:headers', (message) => {
  const { request, response } = message as { request: UndiciRequest; response: { headers: readonly Buffer[] } }
  if (new URL(request.origin).origin !== origin) return
  const texts = response.headers.map(String)
  const at = texts.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === 'castellan-exchange')
  exchanges.push(at === -1 ? '' : (texts[at + 1] ?? ''))
})

const isToGateway = (request: ClientRequest): boolean => `http://${String(request.getHeader('host'))}` === origin

/** Every request of `node:http`. */
subscribe('http.client.request.created', (message) => {
  const { request } = message as { request: ClientRequest }
  if (!isToGateway(request)) return
  requests += 1
  request.setHeader('authorization', authorization)
})
subscribe('http.client.response.finish', (message) => {
  const { request, response } = message as { request: ClientRequest; response: IncomingMessage }
  if (!isToGateway(request)) return
  exchanges.push(String(response.headers['castellan-exchange'] ?? ''))
})

process.on('exit', () => writeFileSync(trace, JSON.stringify({ requests, exchanges })))
