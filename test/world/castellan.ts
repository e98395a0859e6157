import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '#platform/config'
import { type Castellan, startCastellan } from '../../src/compose.ts'
import { createTestClock, type TestClock } from './clock.ts'
import { freshPostgres } from './databases.ts'
import { atEnd } from '../ending.ts'
import { temporaryFolder } from './folder.ts'
import { freePorts } from './program.ts'
import { type Answer, callAdmin, enrol, pathOf, type Person } from './people.ts'
import { generousLimits } from './running-castellan.ts'
import { type RecordingUpstream, startRecordingUpstream } from './servers/recording-upstream.ts'

/** One entry of the ledger as the admin API shows it. */
export interface LedgerEntry {
  readonly seq: number
  readonly event: string
  readonly outcome: string
  readonly exchange?: string
  readonly refusal?: string
  readonly address?: string
  readonly principal?: { id: string; name: string }
  readonly target?: { upstream: string; kind: string; name?: string }
  readonly details?: Record<string, unknown>
}

/** A whole Castellan in this process, with named people and an upstream that records what reaches it. */
export interface World {
  readonly gatewayUrl: string
  readonly adminUrl: string
  readonly dataDir: string
  readonly databaseUrl: string
  readonly clock: TestClock
  /** The administrator. */
  readonly ana: Person
  /** The upstream `books`; its tools `echo`, `slow` and `drip` are approved, `secret_tool` is not granted to readers. */
  readonly books: RecordingUpstream
  /** Invites and enrols someone with these roles. */
  join(name: string, roles: readonly string[]): Promise<Person>
  /** Starts a second gateway on the same database, with a data folder of its own and this one's root key. */
  secondNode(): Promise<{
    readonly gatewayUrl: string
    readonly adminUrl: string
    mint(sessionToken: string, upstream: string): Promise<string>
  }>
  /** Posts one JSON-RPC message to an upstream's path, or another, legacy unless the headers say otherwise. */
  post(options: PostOptions): Promise<Answer & { events: Record<string, unknown>[] }>
  /** Lines of the log of all nodes. */
  readonly logLines: readonly string[]
  /** What the ledger holds, newest last, in the order it was written. */
  ledger(query?: string): Promise<LedgerEntry[]>
  stop(): Promise<void>
}

export interface PostOptions {
  readonly token?: string | undefined
  readonly message: unknown
  readonly upstream?: string
  /** The first node's unless told. */
  readonly gatewayUrl?: string
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
}

/** The role of a reader of `books`: everything but `secret_tool`. */
export const reader = 'books-reader'

function eventsOf(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)) as Record<string, unknown>)
}

async function post(gatewayUrl: string, options: PostOptions): Promise<Answer & { events: Record<string, unknown>[] }> {
  const { token, message, upstream = 'books', headers = {}, signal } = options
  const response = await fetch(`${gatewayUrl}${pathOf(upstream)}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: typeof message === 'string' ? message : JSON.stringify(message),
    ...(signal === undefined ? {} : { signal }),
  })
  const text = await response.text()
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
  const events = isStream ? eventsOf(text) : []
  const body = isStream ? (events.at(-1) ?? {}) : text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  return { status: response.status, headers: response.headers, body, events }
}

export interface WorldOptions {
  readonly database?: 'sqlite' | 'postgres'
  /** More configuration, as environment variables, on top of limits that no test reaches unless it sets them. */
  readonly env?: Record<string, string>
}

async function must(answer: Promise<Answer>): Promise<void> {
  const { status, body } = await answer
  if (status >= 300) throw new Error(`the world could not be set up: ${status} ${JSON.stringify(body)}`)
}

async function addBooks(ana: Person, books: RecordingUpstream): Promise<void> {
  await must(ana.api('POST', '/upstreams', { name: 'books', url: books.url }))
  await must(ana.api('POST', '/upstreams/books/review', {}))
  await must(ana.api('POST', '/upstreams/books/tools/approve', { tools: 'all' }))
  const readable = ['echo', 'slow', 'drip'].map((tool) => `books/tools/${tool}`)
  await must(
    ana.api('PUT', `/roles/${reader}`, {
      description: 'reads books',
      grants: [
        {
          permissions: ['servers:use', 'tools:call', 'resources:read', 'prompts:get'],
          resources: ['books', ...readable, 'books/resources/*', 'books/prompts/*'],
        },
      ],
    }),
  )
}

async function mintAt(node: Castellan, sessionToken: string, upstream: string): Promise<string> {
  const resource = `${node.gatewayUrl}/servers/${upstream}/mcp`
  const body = { label: 'second node', resource, ttlSeconds: 3600 }
  const minted = await callAdmin(node.adminUrl, { method: 'POST', path: '/tokens', token: sessionToken, body })
  return String(minted.body['token'])
}

/** Starts a world that ends with the running test, or with the file (`forAllTests`). */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const [gatewayPort = 0, adminPort = 0, secondGateway = 0, secondAdmin = 0] = await freePorts(4)
  const dataDir = temporaryFolder()
  const clock = createTestClock(Date.now())
  const logLines: string[] = []
  const shared = {
    ...generousLimits,
    CASTELLAN_DEMO: 'false',
    CASTELLAN_DATABASE__URL: options.database === 'postgres' ? await freshPostgres() : `sqlite:${dataDir}/castellan.db`,
    ...options.env,
  }
  const start = async (folder: string, ports: readonly [number, number]): Promise<Castellan> => {
    const [gateway, admin] = ports.map(String)
    const own = { CASTELLAN_DATA_DIR: folder, CASTELLAN_GATEWAY__PORT: gateway, CASTELLAN_ADMIN__PORT: admin }
    const started = await startCastellan(loadConfig({ env: { ...shared, ...own }, cwd: folder, home: folder }), {
      clock,
      logTo: (line) => void logLines.push(line),
    })
    atEnd(() => started.stop())
    return started
  }
  const castellan = await start(dataDir, [gatewayPort, adminPort])
  const { adminUrl, gatewayUrl } = castellan
  const places = { adminUrl, gatewayUrl, clock }
  const ana = await enrol(places, castellan.setupUrl?.split('#')[1] ?? '', 'ana')
  const books = await startRecordingUpstream()
  await addBooks(ana, books)
  return {
    gatewayUrl,
    adminUrl,
    dataDir,
    databaseUrl: shared.CASTELLAN_DATABASE__URL,
    clock,
    logLines,
    ana,
    books,
    async join(name, roles) {
      const invited = await ana.api('POST', '/people', { name, roles })
      return enrol(places, String(invited.body['token']), name)
    },
    async secondNode() {
      const folder = temporaryFolder()
      copyFileSync(join(dataDir, 'root-key'), join(folder, 'root-key'))
      const second = await start(folder, [secondGateway, secondAdmin])
      const { gatewayUrl: url, adminUrl: admin } = second
      return { gatewayUrl: url, adminUrl: admin, mint: (token, upstream) => mintAt(second, token, upstream) }
    },
    post: (request) => post(request.gatewayUrl ?? gatewayUrl, request),
    async ledger(query = '') {
      const { body } = await callAdmin(adminUrl, {
        method: 'GET',
        path: `/audit?limit=500${query}`,
        token: ana.sessionToken(),
      })
      return body['items'] as LedgerEntry[]
    },
    stop: () => castellan.stop(),
  }
}
