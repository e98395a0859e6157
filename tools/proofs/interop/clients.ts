/** Clients that others wrote, each reaching a URL of the gateway in its own way, behind one set of questions. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Client as ClientOfToday, StreamableHTTPClientTransport as HttpOfToday } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioOfToday } from '@modelcontextprotocol/client/stdio'
import { Client as ClientOfBefore } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioOfBefore } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as HttpOfBefore } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { inspectorCli } from '../../../test/world/servers/peers.ts'

const mcpRemote = fileURLToPath(new URL('../../../node_modules/mcp-remote/dist/proxy.js', import.meta.url))
const launcher = fileURLToPath(new URL('../../../bin/castellan.js', import.meta.url))

/** Where a client goes, and with what. */
export interface Door {
  readonly url: string
  readonly token: string
}

/** A connected client. Answers are JSON texts, to be searched. */
export interface Peer {
  listTools(): Promise<string>
  callTool(tool: string, given: Record<string, unknown>): Promise<string>
  /** Undefined where this client is not asked for it. */
  readonly readResource?: (uri: string) => Promise<string>
  readonly getPrompt?: (name: string) => Promise<string>
  readonly canAnswer: boolean
  /** How often progress was heard of during a call. */
  readonly countProgress?: (tool: string, given: Record<string, unknown>) => Promise<number>
  close(): Promise<void>
}

export interface PeerKind {
  readonly name: string
  connect(door: Door): Promise<Peer>
}

function bridge({ url, token }: Door) {
  const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent', CASTELLAN_TOKEN: token }
  return { command: process.execPath, args: [launcher, 'bridge', url], env, stderr: 'ignore' as const }
}

/** Gives its name to who asks for that alone, and nothing else to anybody. */
function answerTo(schema: unknown) {
  const { properties = {} } = (schema ?? {}) as { properties?: object }
  const isName = Object.keys(properties).join() === 'name'
  return isName ? { action: 'accept' as const, content: { name: 'Ada' } } : { action: 'decline' as const }
}

function headers({ token }: Door) {
  return { requestInit: { headers: { authorization: `Bearer ${token}` } } }
}

/** Another bridge from stdio to HTTP, which people use instead of ours. */
function remote({ url, token }: Door) {
  const flags = ['--allow-http', '--transport', 'http-only', '--header', `Authorization: Bearer ${token}`]
  const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent' }
  return { command: process.execPath, args: [mcpRemote, url, ...flags], env, stderr: 'ignore' as const }
}

const ways = {
  'over HTTP': (door: Door) => new HttpOfBefore(new URL(door.url), headers(door)),
  'over castellan bridge': (door: Door) => new StdioOfBefore(bridge(door)),
  'over mcp-remote': (door: Door) => new StdioOfBefore(remote(door)),
}

async function connectBefore(door: Door, way: keyof typeof ways): Promise<Peer> {
  const client = new ClientOfBefore({ name: 'before', version: '1' }, { capabilities: { elicitation: {} } })
  client.setRequestHandler(ElicitRequestSchema, ({ params }) =>
    answerTo('requestedSchema' in params ? params.requestedSchema : undefined),
  )
  const transport = ways[way](door)
  // WHY: the 1.x library's own transport does not satisfy its interface under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<ClientOfBefore['connect']>[0])
  return {
    listTools: async () => JSON.stringify(await client.listTools()),
    callTool: async (name, given) => JSON.stringify(await client.callTool({ name, arguments: given })),
    readResource: async (uri) => JSON.stringify(await client.readResource({ uri })),
    getPrompt: async (name) => JSON.stringify(await client.getPrompt({ name })),
    canAnswer: true,
    async countProgress(name, given) {
      let count = 0
      const onprogress = (): void => void (count += 1)
      await client.callTool({ name, arguments: given }, undefined, { onprogress })
      return count
    },
    close: () => client.close(),
  }
}

type Mode = 'legacy' | 'auto' | { readonly pin: string }

async function connectToday(door: Door, mode: Mode, isBridged: boolean): Promise<Peer> {
  const options = { versionNegotiation: { mode }, capabilities: { elicitation: { form: {} } } }
  const client = new ClientOfToday({ name: 'today', version: '1' }, options)
  client.setRequestHandler('elicitation/create', ({ params }) =>
    answerTo('requestedSchema' in params ? params.requestedSchema : undefined),
  )
  const transport = isBridged ? new StdioOfToday(bridge(door)) : new HttpOfToday(new URL(door.url), headers(door))
  await client.connect(transport)
  return {
    listTools: async () => JSON.stringify(await client.listTools()),
    callTool: async (name, given) => JSON.stringify(await client.callTool({ name, arguments: given })),
    readResource: async (uri) => JSON.stringify(await client.readResource({ uri })),
    getPrompt: async (name) => JSON.stringify(await client.getPrompt({ name })),
    canAnswer: true,
    async countProgress(name, given) {
      let count = 0
      await client.callTool({ name, arguments: given }, { onprogress: () => void (count += 1) })
      return count
    },
    close: () => client.close(),
  }
}

function inspect({ url, token }: Door, era: string, args: readonly string[]): Promise<string> {
  const header = ['--header', `Authorization: Bearer ${token}`]
  const words = [inspectorCli, '--cli', url, '--transport', 'http', '--protocol-era', era, ...header, ...args]
  const child = spawn(process.execPath, words, { env: { ...process.env, NO_COLOR: '1' } })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (output += String(chunk)))
  return new Promise((resolve, reject) =>
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`ended with ${code}: ${output}`)))),
  )
}

/** The Inspector is a process for each question. */
function connectInspector(door: Door, era: string): Peer {
  return {
    listTools: () => inspect(door, era, ['--method', 'tools/list']),
    callTool: (tool, given) => {
      const pairs = Object.entries(given).flatMap(([key, value]) => ['--tool-arg', `${key}=${String(value)}`])
      return inspect(door, era, ['--method', 'tools/call', '--tool-name', tool, ...pairs])
    },
    canAnswer: false,
    close: () => Promise.resolve(),
  }
}

const modern: Mode = { pin: '2026-07-28' }

export const peerKinds: readonly PeerKind[] = [
  { name: 'SDK 1.x', connect: (door) => connectBefore(door, 'over HTTP') },
  { name: 'SDK 1.x over castellan bridge', connect: (door) => connectBefore(door, 'over castellan bridge') },
  { name: 'SDK 1.x over mcp-remote', connect: (door) => connectBefore(door, 'over mcp-remote') },
  { name: 'SDK 2.x legacy', connect: (door) => connectToday(door, 'legacy', false) },
  { name: 'SDK 2.x auto', connect: (door) => connectToday(door, 'auto', false) },
  { name: 'SDK 2.x 2026-07-28', connect: (door) => connectToday(door, modern, false) },
  { name: 'SDK 2.x 2026-07-28 over castellan bridge', connect: (door) => connectToday(door, modern, true) },
  ...['legacy', 'auto', 'modern'].map((era) => ({
    name: `Inspector CLI ${era}`,
    connect: (door: Door) => Promise.resolve(connectInspector(door, era)),
  })),
]
