/**
 * What does the data plane count?
 * Stops: labels that a caller can make up: what names a tool or server is open only to what an administrator registered.
 * Trusts: the catalogue of registered servers and approved tools.
 * Fails: nothing here can fail.
 * @see OpenTelemetry semantic conventions for MCP, metrics
 */
import { defineMetric, durationBounds } from '#platform/telemetry'

const operationLabels = [
  'mcp.method.name',
  'mcp.protocol.version',
  'network.transport',
  'gen_ai.operation.name',
  'rpc.response.status_code',
  'error.type',
  'gen_ai.tool.name',
] as const

export const serverDuration = defineMetric({
  name: 'mcp.server.operation.duration',
  kind: 'histogram',
  unit: 's',
  says: 'time from a request to the end of its answer, as the client has it',
  labels: operationLabels,
  openLabels: ['gen_ai.tool.name'],
  bounds: durationBounds,
})

export const clientDuration = defineMetric({
  name: 'mcp.client.operation.duration',
  kind: 'histogram',
  unit: 's',
  says: 'time from asking an upstream to the end of its answer',
  labels: operationLabels,
  openLabels: ['gen_ai.tool.name'],
  bounds: durationBounds,
})

export const overhead = defineMetric({
  name: 'castellan.overhead',
  kind: 'histogram',
  unit: 's',
  says: 'time of an answered request that was not spent waiting for its upstream',
  labels: [],
  bounds: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
})

export const decisions = defineMetric({
  name: 'castellan.decisions',
  kind: 'counter',
  unit: '1',
  says: 'exchanges by what was decided: allowed, refused, or cut while they were open',
  labels: ['decision', 'refusal', 'server', 'tool', 'rule'],
  openLabels: ['server', 'tool', 'rule'],
})

export const rateLimited = defineMetric({
  name: 'castellan.rate_limited',
  kind: 'counter',
  unit: '1',
  says: 'requests beyond a rate or a number of open streams',
  labels: ['scope'],
})

export const upstreamUp = defineMetric({
  name: 'castellan.upstream_up',
  kind: 'gauge',
  unit: '1',
  says: '1 when an upstream answered the last request that reached out for it, 0 when it could not be reached in time',
  labels: ['server'],
  openLabels: ['server'],
})

export const openExchanges = defineMetric({
  name: 'castellan.open_exchanges',
  kind: 'gauge',
  unit: '1',
  says: 'exchanges that are open, streams included',
  labels: [],
})

export const openStreams = defineMetric({
  name: 'castellan.open_streams',
  kind: 'gauge',
  unit: '1',
  says: 'event streams that are open and wait for news',
  labels: [],
})
