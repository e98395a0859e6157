/**
 * By which series is an ended exchange counted?
 * Stops: looking them up by many labels for each call: ends of one kind share what was found once.
 * Trusts: the words that describe the end: there are few of each.
 * Fails: nothing here can fail.
 * @see docs/decisions/0015-metrics-are-counted-by-hand.md
 */
import { authAttempts } from '#identity'
import type { Counter, Gauge, Histogram, Meter } from '#platform/telemetry'
import type { Pins } from '../guards/match-pinned-tool.ts'
import { gatewayRefusals } from '../refusals.ts'
import { describeEnd, type End, type EndWords, errorTypeOf, fullToolName } from './describe-end.ts'
import { clientDuration, decisions, overhead, rateLimited, serverDuration, upstreamUp } from './metrics.ts'

/** Everything that one kind of end is counted by, found once. */
export interface Series {
  readonly words: EndWords
  readonly server: Histogram | undefined
  readonly client: Histogram | undefined
  readonly decision: Counter
  readonly attempt: Counter | undefined
  readonly limited: Counter | undefined
  readonly up: Gauge | undefined
  readonly overhead: Histogram | undefined
}

const mostKinds = 5_000

/** Whose allowance was used up, by the code of the refusal or by the guard that counts. */
const scopes: Readonly<Record<string, string>> = {
  'gateway.rate-exceeded spend-address-rate': 'address',
  'gateway.rate-exceeded spend-principal-rate': 'principal',
  [gatewayRefusals.tooManyCalls.code]: 'calls-of-principal',
  [gatewayRefusals.tooManyStreams.code]: 'streams-of-principal',
  [gatewayRefusals.streamsFull.code]: 'streams',
}

function keyOf(words: EndWords, guard: string): string {
  const { method, server, tool, version, rule, decision, refusal, code, isToolError, transport } = words
  return `${method}|${server}|${tool}|${version}|${rule}|${decision}|${refusal}|${code}|${isToolError}|${transport}|${guard}`
}

function areSame(one: EndWords, other: EndWords): boolean {
  const { method, server, tool, version, rule, decision, refusal, code, isToolError, transport } = other
  if (one.method !== method || one.server !== server || one.tool !== tool || one.version !== version) return false
  if (one.rule !== rule || one.decision !== decision || one.refusal !== refusal || one.code !== code) return false
  return one.isToolError === isToolError && one.transport === transport
}

/** Labels of an operation by the conventions, seen from one side. */
export function operationLabels(words: EndWords, side: 'server' | 'client') {
  return {
    'mcp.method.name': words.method,
    'mcp.protocol.version': words.version,
    'network.transport': side === 'server' ? 'tcp' : words.transport,
    'gen_ai.operation.name': words.method === 'tools/call' ? 'execute_tool' : '',
    'rpc.response.status_code': words.code,
    'error.type': errorTypeOf(words, side),
    'gen_ai.tool.name': fullToolName(words),
  }
}

function openFamilies(meter: Meter) {
  return {
    server: meter.histogram(serverDuration),
    client: meter.histogram(clientDuration),
    overhead: meter.histogram(overhead).with({}),
    decisions: meter.counter(decisions),
    attempts: meter.counter(authAttempts),
    limited: meter.counter(rateLimited),
    up: meter.gauge(upstreamUp),
  }
}

/** How a caller's token was judged; undefined when it was not asked for. */
function attemptOf({ known, guard, refusal }: End): string | undefined {
  if (known.principal !== undefined) return 'succeeded'
  return guard === 'authenticate-caller' ? refusal?.code : undefined
}

/** @param pins tells which tools are approved: only these are named */
export function createSeries(meter: Meter, pins: Pins): (end: End, isAsked: boolean) => Series {
  const families = openFamilies(meter)
  const kinds = new Map<string, Series>()

  function open(words: EndWords, end: End, isAsked: boolean): Series {
    const { server, refusal, method, decision, tool, rule } = words
    const attempt = attemptOf(end)
    const scope = scopes[refusal] ?? scopes[`${refusal} ${end.guard ?? ''}`]
    return {
      words,
      server: method === '' ? undefined : families.server.with(operationLabels(words, 'server')),
      client: method !== '' && isAsked ? families.client.with(operationLabels(words, 'client')) : undefined,
      decision: families.decisions.with({ decision, refusal, server, tool, rule }),
      attempt: attempt === undefined ? undefined : families.attempts.with({ method: 'access-token', outcome: attempt }),
      limited: scope === undefined ? undefined : families.limited.with({ scope }),
      overhead: method !== '' && isAsked ? families.overhead : undefined,
      up: server !== '' && isAsked ? families.up.with({ server }) : undefined,
    }
  }

  function find(words: EndWords, end: End, isAsked: boolean): Series {
    const key = `${keyOf(words, end.guard ?? '')}|${isAsked}`
    let series = kinds.get(key)
    if (series === undefined) {
      if (kinds.size >= mostKinds) kinds.clear()
      series = open(words, end, isAsked)
      kinds.set(key, series)
    }
    return series
  }

  let last: { readonly series: Series; readonly guard: string | undefined; readonly isAsked: boolean } | undefined
  return (end, isAsked) => {
    const words = describeEnd(end, pins)
    // WHY: ends of one kind come in rows, and then no key has to be written.
    if (last?.isAsked === isAsked && last.guard === end.guard && areSame(last.series.words, words)) return last.series
    const series = find(words, end, isAsked)
    last = { series, guard: end.guard, isAsked }
    return series
  }
}
