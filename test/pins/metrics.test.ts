import { expect, test } from 'vitest'
import { generatePages } from '../../tools/reference.ts'
import { startWorld } from '../world/castellan.ts'
import { readExposition } from '../world/exposition.ts'
import { callTool } from '../world/messages.ts'

const operation =
  'histogram mcp_method_name mcp_protocol_version network_transport gen_ai_operation_name rpc_response_status_code error_type gen_ai_tool_name'

/** Dashboards and alerts are written against these. */
const pinned = `
castellan_audit_entries_total counter
castellan_audit_writable gauge
castellan_audit_write_seconds histogram
castellan_auth_attempts_total counter method outcome
castellan_breaker_changes_total counter to server endpoint
castellan_breaker_open gauge server endpoint
castellan_build_info gauge version node
castellan_cert_expiry_timestamp_seconds gauge name
castellan_connections gauge listener
castellan_decisions_total counter decision refusal server tool rule
castellan_endpoint_calls gauge server endpoint
castellan_endpoint_healthy gauge server endpoint
castellan_open_exchanges gauge
castellan_open_streams gauge
castellan_overhead_seconds histogram
castellan_policy_distrusted gauge
castellan_policy_rejudged_total counter outcome
castellan_rate_limited_total counter scope
castellan_turned_away_total counter listener reason
castellan_upstream_repeats_total counter server
castellan_upstream_sessions gauge kind
castellan_upstream_up gauge server
mcp_client_operation_duration_seconds ${operation}
mcp_server_operation_duration_seconds ${operation}
nodejs_eventloop_lag_max_seconds gauge
nodejs_eventloop_lag_p99_seconds gauge
nodejs_eventloop_lag_seconds gauge
nodejs_heap_size_total_bytes gauge
nodejs_heap_size_used_bytes gauge
process_cpu_seconds_total counter
process_resident_memory_bytes gauge
process_start_time_seconds gauge
`

const bounds = '0.01 0.02 0.05 0.1 0.2 0.5 1 2 5 10 30 60 120 300 +Inf'

test('metrics keep their names, kinds and labels', async () => {
  const { 'docs/reference/metrics.md': page = '' } = await generatePages()
  const rows = page.split('\n').flatMap((line) => {
    const [, name, , kind, , labels = ''] = line.split('|').map((cell) => cell.replaceAll('`', '').trim())
    return line.startsWith('| `') ? [[name, kind, ...labels.split(' ')].join(' ').trim()] : []
  })
  expect(rows.sort()).toEqual(pinned.trim().split('\n'))
})

test('the metrics of a running gateway are among the pinned ones, with the pinned bounds', async () => {
  const world = await startWorld({ env: { CASTELLAN_LIMITS__REQUESTS_PER_MINUTE_PER_PRINCIPAL: '2' } })
  const token = await world.ana.mint('books')
  for (const tool of ['echo', 'nothing', 'echo']) await world.post({ token, message: callTool(tool) })
  const headers = { authorization: `Bearer ${world.ana.sessionToken()}` }
  const response = await fetch(`${world.adminUrl}/metrics`, { headers })
  const families = readExposition(await response.text())
  const known = new Map(
    pinned
      .trim()
      .split('\n')
      .map((line) => [line.split(' ')[0], line.split(' ').slice(1)]),
  )
  expect(families.length).toBeGreaterThan(15)
  for (const { name, type, samples } of families) {
    const [kind, ...labels] = known.get(name) ?? []
    expect(type, name).toBe(kind)
    for (const label of samples.flatMap((sample) => Object.keys(sample.labels)))
      expect([...labels, 'le']).toContain(label)
  }
  const buckets = families
    .find(({ name }) => name === 'mcp_server_operation_duration_seconds')
    ?.samples.flatMap(({ labels }) => labels['le'] ?? [])
  expect([...new Set(buckets)].join(' ')).toBe(bounds)
})
