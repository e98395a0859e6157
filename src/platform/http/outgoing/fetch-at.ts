import { Agent, fetch as send } from 'undici'

export interface FetchAtLimits {
  /** Hosts, with the port unless it is that of the scheme, that may be asked. */
  readonly hosts: ReadonlySet<string>
  /** Whether HTTP may be spoken to this machine. */
  readonly allowsPlainLoopback: boolean
  /** Of an answer. */
  readonly maxBytes: number
  /** For everything, from the connection to the last byte. */
  readonly timeoutMs: number
}

/** What may be said of a request; whatever else a library passes on is left out. */
interface FetchInit {
  readonly method?: string
  readonly headers?: Headers | Record<string, string>
  readonly body?: string | URLSearchParams
}

/** Asks an address of one of the hosts. @throws Error for any other address, and when there is no whole answer in time */
export type FetchAt = (address: string, init?: FetchInit) => Promise<Response>

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Why an address may not be asked: `unreadable`, `plain-http` or `foreign-host`; undefined when it may. */
export function whyNotAt(
  address: string,
  { hosts, allowsPlainLoopback }: Pick<FetchAtLimits, 'hosts' | 'allowsPlainLoopback'>,
): string | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '') return 'unreadable'
  const mayBePlain = allowsPlainLoopback && url.protocol === 'http:' && loopback.has(url.hostname)
  if (url.protocol !== 'https:' && !mayBePlain) return 'plain-http'
  return hosts.has(url.host) ? undefined : 'foreign-host'
}

async function readAtMost(
  response: Awaited<ReturnType<typeof send>>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  const body: AsyncIterable<Uint8Array> | undefined = response.body ?? undefined
  if (body === undefined) return Buffer.alloc(0)
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Makes a `fetch` for requests with credentials: to known hosts alone, following no redirect, with a whole answer in time. */
export function createFetchAt(limits: FetchAtLimits): FetchAt {
  // WHY: no connection is kept: providers are asked seldom, and nothing then holds up a stop.
  const dispatcher = new Agent({ pipelining: 0 })
  return async (address, { method = 'GET', headers = {}, body } = {}) => {
    const problem = whyNotAt(address, limits)
    if (problem !== undefined) throw new Error(`${problem}: ${address.slice(0, 200)}`)
    // INVARIANT: what proves who asks goes where it was sent, and never where an answer points.
    const signal = AbortSignal.timeout(limits.timeoutMs)
    const request = {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      redirect: 'manual',
      dispatcher,
      signal,
    } as const
    const response = await send(address, body === undefined ? request : { ...request, body: String(body) })
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel()
      throw new Error(`redirect: ${address.slice(0, 200)}`)
    }
    const answer = await readAtMost(response, limits.maxBytes)
    const { status } = response
    return new Response(answer.byteLength === 0 ? null : answer, { status, headers: [...response.headers] })
  }
}
