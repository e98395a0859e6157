import { request, type IncomingHttpHeaders } from 'node:http'
import type { World } from '../castellan.ts'

export interface Sending {
  /** One of the loopback addresses, as clients at different places would have. */
  readonly from?: string
  readonly method?: string
  readonly path?: string
  /** A `Host` is sent unless one is given; undefined sends none. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>
  readonly body?: string
}

export interface Received {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** One request as it is written, also with headers that `fetch` refuses to send, on a connection of its own. */
export function send(url: string, { from, method = 'GET', path = '/', headers = {}, body }: Sending) {
  const { hostname, port, host } = new URL(url)
  const given = { host, ...headers }
  const lines = Object.entries(given).flatMap(([name, value]) =>
    [value ?? []].flat().map((each) => [name, each] as const),
  )
  return new Promise<Received>((resolve, reject) => {
    const sent = request(
      {
        host: hostname === 'localhost' ? '127.0.0.1' : hostname,
        port,
        method,
        path,
        headers: lines.flat(),
        setHost: false,
        agent: false,
        ...(from === undefined ? {} : { localAddress: from }),
      },
      (response) => {
        let text = ''
        response.on('data', (chunk) => (text += String(chunk)))
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
        response.once('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Methods and paths of the gateway listener: what it serves, and what it does not. */
export const gatewayRoutes: readonly (readonly [string, string])[] = [
  ...['POST', 'GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'HEAD'].map(
    (method) => [method, '/servers/books/mcp'] as const,
  ),
  ['POST', '/servers/books/mcp/'],
  ['POST', '/servers/nobody/mcp'],
  ['GET', '/.well-known/oauth-protected-resource/servers/books/mcp'],
  ['OPTIONS', '/.well-known/oauth-protected-resource/servers/books/mcp'],
  ['GET', '/.well-known/nothing'],
  ['GET', '/'],
  ['GET', '/api/v1/me'],
  ['POST', '//servers/books/mcp'],
  ...['/sign-in', '/sign-out', '/account', '/device', '/consent/1', '/assets/castellan.css', '/oauth/authorize'].map(
    (path) => ['GET', path] as const,
  ),
  ...['/sign-in', '/sign-out', '/account/sessions', '/device', '/consent/1', '/oauth/token', '/oauth/register'].map(
    (path) => ['POST', path] as const,
  ),
]

/** Methods and paths of the admin listener: pages, health, the API, and what there is not. */
export const adminRoutes: readonly (readonly [string, string])[] = [
  ...['/', '/setup', '/setup.js', '/livez', '/readyz', '/startupz', '/metrics', '/openapi.json'].map(
    (path) => ['GET', path] as const,
  ),
  ['HEAD', '/livez'],
  ['GET', '/api/v1/me'],
  ['POST', '/api/v1/sign-in'],
  ['POST', '/api/v1/enrolments/choose'],
  ['DELETE', '/api/v1/tokens/1'],
  ['OPTIONS', '/api/v1/me'],
  ['GET', '/api/v1/nothing'],
  ['GET', '/nothing'],
  ['POST', '/servers/books/mcp'],
]

/** Headers of a caller who has everything right. */
export async function goodHeaders(world: World, upstream = 'books'): Promise<Record<string, string>> {
  return {
    authorization: `Bearer ${await world.ana.mint(upstream)}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  }
}
