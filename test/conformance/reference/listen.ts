import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node'

type Handler = ReturnType<typeof toNodeHandler>

/** WHY: the library's adapter keeps the headers of a stream back until something is sent on it. */
function flushed(res: ServerResponse): Parameters<Handler>[1] {
  return {
    writeHead(status, headers) {
      res.writeHead(status, headers)
      res.flushHeaders()
    },
    write: (chunk) => res.write(chunk),
    end: (chunk) => res.end(chunk),
    on: (event, listener) => res.on(event, listener),
    get destroyed() {
      return res.destroyed
    },
  }
}

/** Serves on a free port of the loopback, prints `listening on <url>`, and ends with its standard input. */
export function listen(answer: (request: Request) => Promise<Response>): void {
  const [isHostValid, isOriginValid] = [localhostHostValidation(), localhostOriginValidation()]
  const handle = toNodeHandler({ fetch: answer })
  const server = createServer((req, res) => {
    if (!isHostValid(req, res) || !isOriginValid(req, res)) return
    // WHY: the library's interface for requests does not allow for exactOptionalPropertyTypes.
    void handle(req as Parameters<Handler>[0], flushed(res))
  })
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    process.stdout.write(`listening on http://localhost:${port}/mcp\n`)
  })
  process.stdin.resume().once('end', () => process.exit(0))
}
