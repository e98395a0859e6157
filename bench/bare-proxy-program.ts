/**
 * The yardstick: a proxy of the same stack as Castellan's, node:http in and undici's `dispatch` out over kept connections,
 * that reads a request, forwards it and streams the answer, and does nothing else. Usage: `bare-proxy-program.ts <url>`.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool, type Dispatcher } from 'undici'

const upstream = new URL(process.argv[2] ?? '')
const pool = new Pool(upstream.origin, { connections: 128, pipelining: 1 })
const ofTheHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host', 'content-length', 'upgrade'])

function passedOn(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && !ofTheHop.has(name)) kept[name] = value
  }
  return kept
}

class Answer implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    const length = headers['content-length']
    const kept = passedOn(headers)
    if (length !== undefined) kept['content-length'] = length
    this.#response.writeHead(status, kept)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#response.write(chunk)) return
    controller.pause()
    this.#response.once('drain', () => controller.resume())
  }

  onResponseEnd(): void {
    this.#response.end()
  }

  onResponseError(): void {
    if (this.#response.headersSent) this.#response.destroy()
    else this.#response.writeHead(502).end()
  }
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
    pool.dispatch(
      {
        method: (request.method ?? 'GET') as Dispatcher.HttpMethod,
        path: upstream.pathname,
        headers: passedOn(request.headers),
        body: body === undefined || body.length === 0 ? null : body,
      },
      new Answer(response),
    )
  })
})
server.keepAliveTimeout = 600_000

server.listen(0, '127.0.0.1', () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`)
})
