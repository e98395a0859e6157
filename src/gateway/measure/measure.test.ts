import { type Principal, refuse } from '#kernel'
import { isProblem, type Message, readMessage } from '#protocol'
import { expect, test } from 'vitest'
import { readExposition, valueOf } from '../../../test/world/exposition.ts'
import { openTelemetry } from '../../../test/world/telemetry.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Verdict } from '../safe-result.ts'
import type { Learned } from './describe-end.ts'
import { createMeasure, type Measure } from './measure.ts'

const ben: Principal = {
  id: 'ben',
  name: 'ben',
  roles: ['reader'],
  factors: ['password'],
  credential: { kind: 'access-token', id: 'token', expiresAt: 0 },
}

function message(method: string, params: Record<string, unknown>): Message {
  const read = readMessage(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
  if (isProblem(read)) throw new Error(read.problem)
  return read
}

/** What an exchange has learned that calls a tool of `books` and was allowed to. */
function call(tool: string): Learned & { headers: {} } {
  return {
    exchangeId: '01a203e8-3947-70e9-ae22-453517bb2174',
    headers: {},
    principal: ben,
    message: message('tools/call', { name: tool, arguments: { secret: 'canary' } }),
    version: '2025-11-25',
    upstream: { name: 'books', transport: 'http', environment: {}, isDemo: false },
    target: { upstream: 'books', kind: 'tool', name: tool },
    decision: {
      isAllowed: true,
      reasons: [{ rule: 'role:reader#1', says: '' }],
      snapshotVersion: 1,
      remedies: [],
      mayDepend: false,
    },
  }
}

async function open(approved = (tool: string) => tool.startsWith('approved')) {
  const { telemetry, lines } = await openTelemetry({ logLevel: 'debug' })
  const pins = {
    find: (upstream: string, tool: string) => {
      const seen = { upstream, tool, definition: {}, seenHash: 'hash', seenAt: 0, isRejected: false }
      return approved(tool) ? { ...seen, status: 'approved' as const, approvedHash: 'hash' } : undefined
    },
  }
  const measure = createMeasure(telemetry, pins)
  return {
    measure,
    lines,
    scrape: async () => readExposition(await telemetry.prometheus()),
  }
}

function answer(measure: Measure, known: Learned & { headers: {} }, detail: Verdict['detail'] = {}): void {
  const trip = measure.begin()
  measure.follow(trip, known)
  trip.asked()
  trip.answered()
  measure.ended(trip, { known, verdict: { outcome: 'succeeded', detail } })
  measure.ended(trip, { known, verdict: { outcome: 'succeeded', detail } })
}

const names = { kind: 'tool', name: 'made', server: 'notes' }

test('an answered call is counted once: both legs, what was decided, by which rule, and that the upstream is up', async () => {
  const { measure, scrape } = await open()
  answer(measure, call('approved'))
  const families = await scrape()
  const operation = {
    mcp_method_name: 'tools/call',
    gen_ai_tool_name: 'books__approved',
    gen_ai_operation_name: 'execute_tool',
    mcp_protocol_version: '2025-11-25',
    network_transport: 'tcp',
  }
  expect(valueOf(families, 'mcp_server_operation_duration_seconds_count', operation)).toBe(1)
  expect(valueOf(families, 'mcp_client_operation_duration_seconds_count', operation)).toBe(1)
  expect(valueOf(families, 'castellan_overhead_seconds_count')).toBe(1)
  const decided = { decision: 'allowed', server: 'books', tool: 'approved', rule: 'role:reader#1' }
  expect(valueOf(families, 'castellan_decisions_total', decided)).toBe(1)
  expect(valueOf(families, 'castellan_auth_attempts_total', { method: 'access-token', outcome: 'succeeded' })).toBe(1)
  expect(valueOf(families, 'castellan_upstream_up', { server: 'books' })).toBe(1)
  expect(families.find(({ name }) => name === 'mcp_server_operation_duration_seconds')?.samples).toHaveLength(17)
})

test.each([
  [-32602, '-32602', undefined, '-32602'],
  [-32603, '-32603', '-32603', '-32603'],
  [-31999, 'other', 'other', 'other'],
  ['text', 'other', 'other', 'other'],
])('an error with code %s is told by code, and on whose side it is an error', async (code, told, server, client) => {
  const { measure, scrape } = await open()
  answer(measure, call('approved'), { errorCode: code })
  const families = await scrape()
  const labelsOf = (name: string) => families.find((family) => family.name === name)?.samples[0]?.labels
  expect(labelsOf('mcp_server_operation_duration_seconds')?.['rpc_response_status_code']).toBe(told)
  expect(labelsOf('mcp_server_operation_duration_seconds')?.['error_type']).toBe(server)
  expect(labelsOf('mcp_client_operation_duration_seconds')?.['error_type']).toBe(client)
})

test('a tool that reports an error is `tool_error` on both sides', async () => {
  const { measure, scrape } = await open()
  answer(measure, call('approved'), { isToolError: true })
  const families = await scrape()
  for (const side of ['server', 'client'])
    expect(valueOf(families, `mcp_${side}_operation_duration_seconds_count`, { error_type: 'tool_error' })).toBe(1)
})

test('names and codes that callers and upstreams make up make no series', async () => {
  const { measure, scrape, lines } = await open()
  answer(measure, call('made-up-0'), { errorCode: 0 })
  const trip = measure.begin()
  const refusal = refuse(gatewayRefusals.toolNotApproved, { names })
  measure.ended(trip, { known: call('made-up-1'), refusal, guard: 'match-pinned-tool' })
  const { decision: _, target: __, ...unresolved } = call('approved')
  measure.ended(measure.begin(), { known: unresolved, refusal, guard: 'resolve-target' })
  const before = (await scrape()).flatMap(({ samples }) => samples).length
  for (let index = 2; index < 10_000; index += 1) {
    answer(measure, call(`made-up-${index}`), { errorCode: index })
    measure.ended(measure.begin(), { known: call(`made-up-${index}`), refusal, guard: 'match-pinned-tool' })
    const invented = { ...unresolved, message: message(`invented/${index}`, {}) }
    measure.ended(measure.begin(), { known: invented, refusal, guard: 'resolve-target' })
  }
  const families = await scrape()
  expect(families.flatMap(({ samples }) => samples)).toHaveLength(before)
  expect(JSON.stringify(families)).not.toMatch(/made-up|invented|canary/)
  expect(lines.join('')).not.toMatch(/made-up|invented|canary/)
})

test('what was refused without asking the upstream has no leg to it', async () => {
  const { measure, scrape } = await open()
  const refusal = refuse(gatewayRefusals.notGranted, { names })
  const { decision: _, ...denied } = call('approved')
  measure.ended(measure.begin(), { known: denied, refusal, guard: 'authorize-call' })
  measure.turnedAway({ known: { exchangeId: denied.exchangeId }, refusal: refuse(gatewayRefusals.pathUnknown) })
  const families = await scrape()
  const refused = { decision: 'refused', refusal: 'gateway.not-granted', tool: 'approved' }
  expect(valueOf(families, 'castellan_decisions_total', refused)).toBe(1)
  expect(valueOf(families, 'castellan_decisions_total', { refusal: 'gateway.path-unknown' })).toBe(1)
  expect(families.map(({ name }) => name)).not.toContain('mcp_client_operation_duration_seconds')
  expect(families.map(({ name }) => name)).not.toContain('castellan_upstream_up')
})

test('allowances that were used up are counted by whose they were', async () => {
  const { measure, scrape } = await open()
  const cases = [
    [gatewayRefusals.rateExceeded, 'spend-address-rate', 'address'],
    [gatewayRefusals.rateExceeded, 'spend-principal-rate', 'principal'],
    [gatewayRefusals.tooManyCalls, 'await-turn', 'calls-of-principal'],
    [gatewayRefusals.tooManyStreams, 'await-turn', 'streams-of-principal'],
    [gatewayRefusals.streamsFull, 'await-turn', 'streams'],
  ] as const
  for (const [definition, guard] of cases)
    measure.ended(measure.begin(), {
      known: call('approved'),
      refusal: refuse({ ...definition, says: '', hint: '' }),
      guard,
    })
  const families = await scrape()
  for (const [, , scope] of cases) expect(valueOf(families, 'castellan_rate_limited_total', { scope })).toBe(1)
})

test('troubles of an upstream are logged once a minute, faults of ours each, refusals only in detail', async () => {
  const { measure, lines } = await open()
  const detail = { fault: 'upstream.unreachable', cause: 'words of the upstream' }
  const unreachable = refuse(gatewayRefusals.upstreamUnreachable, { names, detail })
  for (let index = 0; index < 50; index += 1)
    measure.ended(measure.begin(), { known: call('approved'), refusal: unreachable, guard: 'forward' })
  const fault = refuse(gatewayRefusals.fault, { detail: { cause: 'Error: out of order' } })
  for (let index = 0; index < 50; index += 1)
    measure.ended(measure.begin(), { known: call('approved'), refusal: fault, guard: 'bind-session' })
  const told = (event: string) => lines.filter((line) => line.includes(`"event.name":"${event}"`))
  expect(told('upstream.failed')).toHaveLength(1)
  expect(told('exchange.broken')).toHaveLength(10)
  expect(told('exchange.broken')[0]).toContain('out of order')
  measure.close()
  expect(told('upstream.troubled')).toHaveLength(1)
  const [sum] = told('exchanges.refused')
  expect(JSON.parse(sum ?? '{}')).toMatchObject({
    level: 'info',
    count: 100,
    codes: { 'gateway.upstream-unreachable': 50, 'gateway.fault': 50 },
  })
  expect(lines.join('')).not.toContain('words of the upstream')
})

test('a call costs less than 5 µs of the processor to count', async () => {
  const { measure } = await open()
  const calls = Array.from({ length: 20 }, (_, index) => call(`approved-${index}`))
  const verdict: Verdict = { outcome: 'succeeded', detail: {} }
  const rounds = 50_000
  const costOf = (): number => {
    const before = process.cpuUsage()
    for (let index = 0; index < rounds; index += 1) {
      const known = calls[index % calls.length]
      if (known === undefined) continue
      const trip = measure.begin()
      measure.follow(trip, known)
      trip.asked()
      trip.answered()
      measure.ended(trip, { known, verdict })
    }
    const { user, system } = process.cpuUsage(before)
    return (user + system) / rounds
  }
  costOf()
  expect(Math.min(costOf(), costOf(), costOf())).toBeLessThan(5)
})
