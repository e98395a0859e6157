import { request as httpRequest } from 'node:http'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'

/** One HTTP request, to be broken in one place or in several. */
export interface Knock {
  readonly httpMethod: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Posted as JSON; undefined posts nothing. */
  readonly message: Readonly<Record<string, unknown>> | undefined
  /** What becomes of the message's text before it is sent. */
  readonly spell: (text: string) => string | Buffer
}

export interface Heard {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
  /** The answer's JSON, or the last message of its stream. */
  readonly json: { id?: unknown; error?: { code: number; data?: Record<string, unknown> }; result?: unknown }
}

export type Era = 'legacy' | 'modern'

/** A gateway with people to knock at its doors. */
export interface Doors {
  readonly world: World
  /** Ben may use all but `secret_tool`; Mallory may use nothing. */
  readonly tokens: Readonly<Record<'ben' | 'mallory', string>>
  /** Sends it, and says what came back. */
  knock(knock: Knock): Promise<Heard>
  /** What reached the upstream so far, tool definitions that the gateway asks for itself left out. */
  arrived(): number
}

/** A tool with an argument that a header mirrors. */
export const regional = {
  name: 'regional',
  description: 'Says where it ran.',
  inputSchema: {
    type: 'object',
    properties: { text: { type: 'string' }, region: { type: 'string', 'x-mcp-header': 'Region' } },
  },
}

export async function openDoors(env: Record<string, string> = {}): Promise<Doors> {
  const world = await startWorld({ env })
  world.books.tools = [...world.books.tools, regional]
  await world.ana.api('POST', '/upstreams/books/review', {})
  await world.ana.api('POST', '/upstreams/books/tools/approve', { tools: 'all' })
  const grants = [{ permissions: ['tools:call'], resources: ['books/tools/regional'] }]
  await world.ana.api('PUT', '/roles/regional-caller', { description: 'calls one more tool', grants })
  const [ben, mallory] = [await world.join('ben', [reader, 'regional-caller']), await world.join('mallory', [])]
  return {
    world,
    tokens: { ben: await ben.mint('books'), mallory: await mallory.mint('books') },
    knock: (knock) => send(world.gatewayUrl, knock),
    arrived: () => world.books.arrived.filter(({ message }) => message?.method !== 'tools/list').length,
  }
}

function lastMessage(text: string, type: string | undefined): Heard['json'] {
  if (text === '') return {}
  if (type !== 'text/event-stream') return JSON.parse(text) as Heard['json']
  const data = text.split('\n').filter((line) => line.startsWith('data: {'))
  return JSON.parse(data.at(-1)?.slice('data: '.length) ?? '{}') as Heard['json']
}

function send(gatewayUrl: string, knock: Knock): Promise<Heard> {
  const { httpMethod, path, message, spell } = knock
  const url = new URL(gatewayUrl)
  const headers = Object.fromEntries(Object.entries(knock.headers).filter(([, value]) => value !== undefined))
  const body = message === undefined ? undefined : Buffer.from(spell(JSON.stringify(message)))
  const isGet = httpMethod === 'GET'
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ host: url.hostname, port: url.port, method: httpMethod, path, headers, agent: false })
    asked.once('error', reject)
    asked.once('response', (response) => {
      const { statusCode: status = 0, headers: heard } = response
      const fields = Object.fromEntries(Object.entries(heard).map(([name, value]) => [name, String(value)]))
      // WHY: a stream of news has no end; that it was opened is all there is to hear.
      if (isGet && status === 200) {
        response.destroy()
        return resolve({ status, headers: fields, text: '', json: {} })
      }
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.once('end', () =>
        resolve({ status, headers: fields, text, json: lastMessage(text, fields['content-type']) }),
      )
      response.once('error', reject)
    })
    asked.end(body)
  })
}

const types = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

/** A good call of `echo` under id 7, as a client of the era sends it. */
export function goodCall(era: Era, token: string, tool = 'echo'): Knock {
  return goodPost(era, token, callTool(tool, 'hello', 7))
}

/** A good POST of any message. */
export function goodPost(era: Era, token: string, message: Record<string, unknown>): Knock {
  const sent = era === 'modern' ? modern(message as Parameters<typeof modern>[0]) : { message, headers: {} }
  return {
    httpMethod: 'POST',
    path: '/servers/books/mcp',
    headers: { authorization: `Bearer ${token}`, ...types, ...sent.headers },
    message: sent.message,
    spell: (text) => text,
  }
}

/** A good GET or DELETE, which only the legacy era has. */
export function goodBodiless(httpMethod: string, token: string): Knock {
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
  return { httpMethod, path: '/servers/books/mcp', headers, message: undefined, spell: (text) => text }
}

/** The request with other headers; undefined takes one away. */
export function withHeaders(knock: Knock, headers: Knock['headers']): Knock {
  return { ...knock, headers: { ...knock.headers, ...headers } }
}

/** The request with other members in its message; undefined takes one away. */
export function withMembers(knock: Knock, members: Record<string, unknown>): Knock {
  return knock.message === undefined ? knock : { ...knock, message: { ...knock.message, ...members } }
}

/** The request with other params; undefined takes one away. */
export function withParams(knock: Knock, params: Record<string, unknown>): Knock {
  return withMembers(knock, { params: { ...(knock.message?.['params'] as object), ...params } })
}

/** The request with its text changed once more. */
export function respelled(knock: Knock, change: (text: string) => string | Buffer): Knock {
  return { ...knock, spell: (text) => change(String(knock.spell(text))) }
}
