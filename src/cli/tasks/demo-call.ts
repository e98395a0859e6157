import type { Client } from '@modelcontextprotocol/client'
import type { AdminApi } from '../remote/api.ts'
import { reasonOfStatus } from '../exit-codes.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { readVersion } from '../read-version.ts'
import { resourceOf } from '../remote/resource.ts'

/** One thing that was done, how long it took and where the ledger has it. */
export interface DemoStep {
  readonly name: string
  readonly says: string
  readonly durationMs: number
  /** Number of the ledger entry, from the answer's `Castellan-Entry` header. */
  readonly entry?: number
}

const tokenSeconds = 300

/** Remembers, per JSON-RPC method, what the gateway said beside its answers. */
export interface Observer {
  readonly entries: Map<string, number>
  refusal: CliFailure | undefined
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>
}

function methodOf(init: RequestInit | undefined): string {
  if (typeof init?.body !== 'string') return init?.method ?? 'GET'
  const { method } = JSON.parse(init.body) as { method?: unknown }
  return typeof method === 'string' ? method : 'response'
}

interface CallError {
  readonly message?: unknown
  readonly data?: { readonly code?: unknown; readonly hint?: unknown }
}

function readCallError(text: string): CallError {
  try {
    return (JSON.parse(text) as { error?: CallError }).error ?? {}
  } catch {
    return {}
  }
}

async function refusalOf(answer: Response): Promise<CliFailure> {
  const error = readCallError(await answer.clone().text())
  const { code, hint } = error.data ?? {}
  return new CliFailure(
    reasonOfStatus(answer.status),
    typeof code === 'string' ? code : 'cli.call-refused',
    typeof error.message === 'string' ? error.message : `the gateway answered with status ${answer.status}`,
    typeof hint === 'string' ? hint : 'see `castellan audit tail`',
  )
}

/** A refusal inside a good answer: the gateway puts its code and hint beside the protocol's error. */
function failureOfCall(error: unknown): unknown {
  if (!(error instanceof Error) || !('data' in error)) return error
  const { code, hint } = (error.data ?? {}) as { code?: unknown; hint?: unknown }
  if (typeof code !== 'string') return error
  const reason = /\.(not-granted|held)$/.test(code) ? 'denied' : 'remote'
  return new CliFailure(reason, code, error.message, typeof hint === 'string' ? hint : 'see `castellan audit tail`')
}

export function observe(fetchOf: (url: string | URL, init?: RequestInit) => Promise<Response>): Observer {
  const observer: Observer = {
    entries: new Map(),
    refusal: undefined,
    async fetch(url, init) {
      const answer = await fetchOf(url, init)
      const method = methodOf(init)
      const entry = Number(answer.headers.get('castellan-entry') ?? Number.NaN)
      if (Number.isSafeInteger(entry)) observer.entries.set(method, entry)
      const isExpected = answer.ok || method === 'GET' || method === 'DELETE'
      if (!isExpected) observer.refusal = await refusalOf(answer)
      return answer
    },
  }
  return observer
}

interface Tool {
  readonly name: string
  readonly inputSchema: { readonly required?: readonly string[] | undefined }
}

/** Arguments for a note, whatever the upstream calls its fields. */
export function noteArguments(tool: Tool, nowMs: number): Record<string, string> {
  const texts: Readonly<Record<string, string>> = { title: 'Hello from castellan' }
  return Object.fromEntries(
    (tool.inputSchema.required ?? []).map((name) => [
      name,
      texts[name] ?? `Written at ${new Date(nowMs).toISOString()}.`,
    ]),
  )
}

function textOf(result: unknown): string {
  const { content } = result as { content?: readonly { type?: string; text?: string }[] }
  return (content ?? []).map((part) => part.text ?? '').join(' ')
}

type Work<Value> = () => Promise<{ value: Value; says: string; method?: string }>

/** Runs the steps in order and tells each one as it ends. */
function createSteps(invocation: Invocation, observer: Observer, tell: (step: DemoStep) => void) {
  const steps: DemoStep[] = []
  return {
    steps,
    async run<Value>(name: string, work: Work<Value>): Promise<Value> {
      const startedAt = performance.now()
      try {
        const { value, says, method } = await work()
        const entry = method === undefined ? undefined : observer.entries.get(method)
        const step: DemoStep = {
          name,
          says,
          durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
          ...(entry === undefined ? {} : { entry }),
        }
        steps.push(step)
        tell(step)
        return value
      } catch (error) {
        invocation.output.note({ text: 'stopped', tone: 'bad' }, `  ${name}`)
        throw observer.refusal ?? failureOfCall(error)
      }
    },
  }
}

async function callTools(
  invocation: Invocation,
  { client, upstream }: { client: Client; upstream: string },
  { run }: ReturnType<typeof createSteps>,
): Promise<void> {
  const tools = await run('list the tools', async () => {
    const { tools: found } = await client.listTools()
    return { value: found, says: found.map((tool) => tool.name).join(', '), method: 'tools/list' }
  })
  for (const name of ['create_note', 'list_notes']) {
    const tool = tools.find((one) => one.name === name)
    if (tool === undefined) {
      const hint = `approve it with \`castellan upstream approve ${upstream} ${name}\`, and look at your roles and at \`castellan hold list\``
      throw new CliFailure('notFound', 'cli.demo-tool-missing', `the tool \`${name}\` is not offered to you`, hint)
    }
    await run(`call ${name}`, async () => {
      const result = await client.callTool({ name, arguments: noteArguments(tool, invocation.terminal.now()) })
      if (result.isError === true) {
        throw new CliFailure(
          'remote',
          'cli.demo-tool-failed',
          `the tool \`${name}\` failed: ${textOf(result)}`,
          'see `castellan audit tail`',
        )
      }
      return { value: undefined, says: textOf(result), method: 'tools/call' }
    })
  }
}

/** Makes a short-lived token, calls the notes server through the gateway as any client would, and revokes the token. */
export async function demoCall(
  invocation: Invocation,
  { api, upstream }: { api: AdminApi; upstream: string },
  tell: (step: DemoStep) => void,
): Promise<DemoStep[]> {
  const { Client: McpClient, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client')
  const observer = observe((url, init) => fetch(url, init))
  const stepper = createSteps(invocation, observer, tell)
  const resource = await resourceOf(api, upstream)
  const minted = await stepper.run('make a token', async () => {
    const value = await api.tokens.create({ label: 'castellan demo call', resource, ttlSeconds: tokenSeconds })
    return { value, says: `for ${resource}, ${tokenSeconds / 60} minutes` }
  })
  const client = new McpClient({ name: 'castellan-demo', version: readVersion() })
  try {
    await stepper.run('connect', async () => {
      const transport = new StreamableHTTPClientTransport(new URL(resource), {
        requestInit: { headers: { Authorization: `Bearer ${minted.token}` } },
        fetch: observer.fetch,
      })
      await client.connect(transport)
      const says = `${client.getServerVersion()?.name ?? upstream}, MCP ${client.getNegotiatedProtocolVersion() ?? 'unknown'}`
      return { value: undefined, says, method: 'initialize' }
    })
    await callTools(invocation, { client, upstream }, stepper)
  } finally {
    await client.close()
    await stepper.run('revoke the token', async () => {
      await api.tokens.revoke(minted.view.id)
      return { value: undefined, says: 'it works no more' }
    })
  }
  return stepper.steps
}
