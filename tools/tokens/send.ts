/** One request with one token, in each way in which a client may come. */
import { request } from 'node:http'
import { callTool, modern } from '../../test/world/messages.ts'

export interface Heard {
  readonly status: number
  readonly challenge: string
  readonly body: string
}

/** A way to come in; the path is under the gateway. */
export interface Surface {
  readonly name: string
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

const both = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const stream = { accept: 'text/event-stream' }
const call = callTool('echo', 'a word')
const newer = modern(call as never)
const path = '/servers/books/mcp'

export const surfaces: readonly Surface[] = [
  { name: 'POST', path, method: 'POST', headers: both, body: JSON.stringify(call) },
  {
    name: 'POST of 2026-07-28',
    path,
    method: 'POST',
    headers: { ...both, ...newer.headers },
    body: JSON.stringify(newer.message),
  },
  { name: 'GET', path, method: 'GET', headers: stream },
  { name: 'DELETE', path, method: 'DELETE', headers: { 'mcp-session-id': 'guess' } },
  { name: 'POST to all servers', path: '/mcp', method: 'POST', headers: both, body: JSON.stringify(call) },
  { name: 'GET of 2024-11-05', path: '/servers/books/sse', method: 'GET', headers: stream },
  {
    name: 'POST of 2024-11-05',
    path: '/servers/books/messages?channel=x',
    method: 'POST',
    headers: both,
    body: JSON.stringify(call),
  },
]

/** Where the metadata of a surface's resource is. */
export function metadataOf(gatewayUrl: string, surface: Surface): string {
  const resource = surface.path === '/mcp' ? '/mcp' : path
  return `${gatewayUrl}/.well-known/oauth-protected-resource${resource}`
}

/** @returns undefined for a token that cannot be written in a header */
export function send(gatewayUrl: string, surface: Surface, token: string): Promise<Heard | undefined> {
  const bytes = Buffer.from(token).toString('latin1')
  if (/[\n\r\0]/.test(bytes)) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    const headers = { ...surface.headers, authorization: `Bearer ${bytes}` }
    const sent = request(`${gatewayUrl}${surface.path}`, { method: surface.method, headers }, (answer) => {
      let body = ''
      const heard = (): void => {
        const challenge = answer.headers['www-authenticate'] ?? ''
        resolve({ status: answer.statusCode ?? 0, challenge, body })
      }
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => (body += chunk))
      answer.on('end', heard)
      // WHY: what was accepted here may stay open for ever; its status has been heard.
      if (answer.statusCode === 200 && surface.method === 'GET') sent.destroy(undefined)
      answer.on('close', heard)
    })
    sent.on('error', reject)
    sent.end(surface.body)
  })
}
