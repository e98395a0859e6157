/**
 * Metrics, traces and logs leave the machine and are read by many. Somebody looks there for what calls carry: tokens,
 * passwords, arguments, results and the addresses of resources.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool, modern } from '../world/messages.ts'
import { callAdmin } from '../world/people.ts'
import { startOtlpCollector } from '../world/servers/otlp-collector.ts'

proves('OBS-3', 'what a call carries is in no log line, no metric and no span', async () => {
  const collector = await startOtlpCollector()
  const world = await startWorld({
    env: {
      CASTELLAN_TELEMETRY__LOG_LEVEL: 'debug',
      CASTELLAN_TELEMETRY__OTLP_ENDPOINT: collector.url,
      CASTELLAN_TELEMETRY__OTLP_HEADERS: 'x-receiver-key=canary-of-the-receiver-9Qx',
    },
  })
  const { ana } = world
  const token = await ana.mint('books')
  const uri = 'file:///canary-of-a-resource/payroll.csv?key=canary'
  const prompt = modern({ method: 'prompts/get', params: { name: 'canary-of-a-prompt' } })
  const sent = [
    world.post({ token, message: callTool('echo', 'canary-of-an-argument') }),
    world.post({ token, message: callTool('canary-of-a-tool', 'canary') }),
    world.post({
      token,
      message: { jsonrpc: '2.0', id: 'canary-of-an-id', method: 'resources/read', params: { uri } },
    }),
    world.post({ token, ...prompt }),
    world.post({ token: `${token.slice(0, -4)}AAAA`, message: callTool('echo') }),
    callAdmin(world.adminUrl, {
      method: 'POST',
      path: '/sign-in',
      body: { name: 'ana', password: 'canary-of-a-password', code: '492817' },
    }),
  ]
  const answers = await Promise.all(sent)
  expect(JSON.stringify(answers[0]?.body)).toContain('canary-of-an-argument')
  expect(world.books.calls('tools/call')).toHaveLength(1)

  const metrics = await fetch(`${world.adminUrl}/metrics`, {
    headers: { authorization: `Bearer ${ana.sessionToken()}` },
  }).then((response) => response.text())
  expect(await world.ledger('&event=call.intended')).not.toHaveLength(0)
  await world.stop()
  expect(collector.spans().map(({ name }) => name)).toContain('tools/call books__echo')
  expect(collector.metricNames()).toContain('mcp.server.operation.duration')
  const told = [metrics, world.logLines.join(''), ...collector.delivered.map(({ text }) => text)].join('\n')
  expect(told).not.toContain('canary')
  for (const secret of [token, ana.sessionToken(), ana.password, ana.secret, '492817', 'payroll', world.dataDir])
    expect(told, secret).not.toContain(secret)
})
