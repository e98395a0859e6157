import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** One request as the receiver got it. */
export interface Delivered {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface TracedSpan {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status?: { readonly code?: number }
  readonly attributes: Readonly<Record<string, unknown>>
}

/** How the receiver answers: as it must, with an error, with an answer that never ends, or not at all. */
export type Mood = 'takes' | 'fails' | 'drips' | 'keeps silent'

/** An OpenTelemetry receiver over HTTP that keeps what it is sent. */
export interface OtlpCollector {
  readonly url: string
  readonly delivered: readonly Delivered[]
  readonly mood: { current: Mood }
  spans(): TracedSpan[]
  /** Attributes of the resource that sent the last delivery to this path. */
  resource(path: string): Record<string, unknown>
  /** Names of all metrics that came. */
  metricNames(): string[]
  /** Connections that are open. */
  openConnections(): Promise<number>
}

interface Pair {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

function attributesOf(pairs: readonly Pair[] = []): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]))
}

interface ScopeSpans {
  readonly spans: readonly (Omit<TracedSpan, 'attributes'> & { readonly attributes: readonly Pair[] })[]
}

interface TracesBody {
  readonly resourceSpans: readonly { readonly resource: { attributes: Pair[] }; readonly scopeSpans: ScopeSpans[] }[]
}

interface MetricsBody {
  readonly resourceMetrics: readonly {
    readonly resource: { attributes: Pair[] }
    readonly scopeMetrics: readonly { readonly metrics: readonly { readonly name: string }[] }[]
  }[]
}

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

function answer(response: ServerResponse, mood: Mood): void {
  if (mood === 'keeps silent') return
  if (mood === 'fails') return void response.writeHead(500).end('no')
  response.writeHead(200, { 'content-type': 'application/json' })
  if (mood === 'takes') return void response.end('{}')
  const drip = setInterval(() => response.write(' '), 50)
  response.once('close', () => clearInterval(drip))
}

export async function startOtlpCollector(): Promise<OtlpCollector> {
  const delivered: Delivered[] = []
  const mood: { current: Mood } = { current: 'takes' }
  const server = createServer((request, response) => {
    void read(request).then((text) => {
      delivered.push({ path: request.url ?? '', headers: request.headers, text })
      answer(response, mood.current)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  })
  const at = (path: string) => delivered.filter((one) => one.path === path)
  const traces = () => at('/v1/traces').map(({ text }) => JSON.parse(text) as TracesBody)
  const metrics = () => at('/v1/metrics').map(({ text }) => JSON.parse(text) as MetricsBody)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    delivered,
    mood,
    spans: () =>
      traces()
        .flatMap(({ resourceSpans }) => resourceSpans.flatMap(({ scopeSpans }) => scopeSpans))
        .flatMap(({ spans }) => spans.map((span) => ({ ...span, attributes: attributesOf(span.attributes) }))),
    resource(path) {
      const bodies = path === '/v1/traces' ? traces() : metrics()
      const last = bodies.at(-1)
      const [first] = last === undefined ? [] : 'resourceSpans' in last ? last.resourceSpans : last.resourceMetrics
      return attributesOf(first?.resource.attributes)
    },
    metricNames: () =>
      metrics().flatMap(({ resourceMetrics }) =>
        resourceMetrics.flatMap(({ scopeMetrics }) =>
          scopeMetrics.flatMap((scope) => scope.metrics.map(({ name }) => name)),
        ),
      ),
    openConnections: () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))),
  }
}
