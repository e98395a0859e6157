/** Clients that call without pause and keep their own record of what they were told. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'

/** One call as its client knows it. */
export interface Called {
  /** Unique; the argument of the call, so that the ledger and the upstream know it by the same name. */
  readonly name: string
  readonly sentAt: number
  /** Undefined when the connection broke before the answer. */
  status?: number
  /** `castellan-entry` of the answer. */
  entry?: number
  /** `castellan-exchange` of the answer. */
  exchange?: string
  /** The answer holds the result, whole. */
  isResult?: boolean
  retryAfter?: string
}

export interface Load {
  readonly calls: readonly Called[]
  /** Ends when every call was answered or broke. */
  stop(): Promise<void>
}

export interface LoadOptions {
  readonly gatewayUrl: string
  readonly token: string
  readonly callers: number
  /** A pause of each caller after each call. */
  readonly pauseMs?: number
}

const afterBreakMs = 3
const letters = 'abcdefghijklmnopqrstuvwxyz'
let named = 0

/** WHY: a name of letters only, which no masking takes for a number of somebody. */
function nextName(): string {
  let rest = (named += 1)
  let name = ''
  for (; rest > 0; rest = Math.floor(rest / letters.length)) name = letters.charAt(rest % letters.length) + name
  return `call-${name.padStart(5, 'a')}`
}

function headerOf(headers: NodeJS.Dict<string | string[]>, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

async function call(pool: Pool, token: string, called: Called): Promise<void> {
  const message = { jsonrpc: '2.0', id: called.name, method: 'tools/call' }
  const { statusCode, headers, body } = await pool.request({
    method: 'POST',
    path: '/servers/recorder/mcp',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ ...message, params: { name: 'echo', arguments: { text: called.name } } }),
  })
  const text = await body.text()
  called.status = statusCode
  const entry = headerOf(headers, 'castellan-entry')
  const exchange = headerOf(headers, 'castellan-exchange')
  const retryAfter = headerOf(headers, 'retry-after')
  if (entry !== undefined) called.entry = Number(entry)
  if (exchange !== undefined) called.exchange = exchange
  if (retryAfter !== undefined) called.retryAfter = retryAfter
  const answer = JSON.parse(text) as { id?: string; result?: { content?: { text?: string }[] } }
  called.isResult = answer.id === called.name && answer.result?.content?.[0]?.text === called.name
}

export function startLoad({ gatewayUrl, token, callers, pauseMs = 0 }: LoadOptions): Load {
  const pool = new Pool(gatewayUrl, { connections: callers, pipelining: 1, keepAliveTimeout: 30_000 })
  const calls: Called[] = []
  let isStopping = false

  async function callOn(): Promise<void> {
    while (!isStopping) {
      const called: Called = { name: nextName(), sentAt: performance.now() }
      calls.push(called)
      const broke = await call(pool, token, called).then(
        () => false,
        () => true,
      )
      if (broke) await sleep(afterBreakMs)
      else if (pauseMs > 0) await sleep(pauseMs)
    }
  }

  const done = Promise.all(Array.from({ length: callers }, callOn))
  return {
    calls,
    async stop() {
      isStopping = true
      await done
      await pool.destroy()
    },
  }
}
