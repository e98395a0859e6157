/**
 * Calls through the gateway, and how they end: in which time, with which code, answered in which words.
 */
import { Agent, request } from 'node:http'
import { modern } from '../../test/world/messages.ts'

export interface Ended {
  /** `result`, the code of a refusal, or what the connection came to. */
  readonly code: string
  readonly tookMs: number
  readonly startedAt: number
  readonly retryAfterSeconds: number | undefined
}

export interface Target {
  readonly gatewayUrl: string
  readonly upstream: string
  readonly token: string
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 })
const call = modern({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: {} } })
const body = JSON.stringify(call.message)

function codeOf(text: string): string {
  const last = text.startsWith('{')
    ? text
    : (text.split('\n').findLast((line) => line.startsWith('data: {')) ?? '').slice(6)
  if (last === '') return 'nothing'
  const message = JSON.parse(last) as { result?: unknown; error?: { data?: { code?: string }; code: number } }
  if (message.result !== undefined) return 'result'
  return message.error?.data?.code ?? String(message.error?.code ?? 'nothing')
}

/** One call of the tool `echo`, of 2026-07-28. Never rejects. */
export function callOnce({ gatewayUrl, upstream, token }: Target, signal?: AbortSignal): Promise<Ended> {
  const startedAt = performance.now()
  return new Promise((resolve) => {
    const end = (code: string, retryAfter?: string): void =>
      resolve({
        code,
        tookMs: performance.now() - startedAt,
        startedAt,
        retryAfterSeconds: retryAfter === undefined ? undefined : Number(retryAfter),
      })
    const headers = {
      ...call.headers,
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'content-length': Buffer.byteLength(body),
    }
    const sent = request(
      `${gatewayUrl}/servers/${upstream}/mcp`,
      { method: 'POST', headers, agent, ...(signal === undefined ? {} : { signal }) },
      (response) => {
        // WHY: only the end of a long answer tells how it ended.
        let tail: Buffer[] = []
        response.on('data', (chunk: Buffer) => {
          if (tail.push(chunk) > 64) tail = tail.slice(-32)
        })
        response.once('end', () => end(codeOf(Buffer.concat(tail).toString()), response.headers['retry-after']))
        response.once('error', () => end('cut'))
      },
    )
    sent.once('error', () => end('broken'))
    sent.end(body)
  })
}

/** Calls on several lanes, one after the other on each, until told. */
export async function callUntil(target: Target, lanes: number, isOver: () => boolean): Promise<Ended[]> {
  const ended: Ended[] = []
  const lane = async (): Promise<void> => {
    while (!isOver()) ended.push(await callOnce(target))
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return ended
}

/** The value that so much of all is not above. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
