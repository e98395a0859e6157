import { openDatabase } from '#platform/database'
import { expect, onTestFinished, test } from 'vitest'
import { freshSqlite } from '../../../test/world/databases.ts'
import { answerAsOfOld, startOldServer } from '../../../test/world/servers/old-server.ts'
import { UpstreamCaller } from '../../../test/world/servers/upstream-caller.ts'
import { addUpstream, openUpstreams } from '../../../test/world/servers/upstreams.ts'

const discovered = { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }

async function behind() {
  const server = await startOldServer()
  const database = await openDatabase({ url: await freshSqlite() })
  onTestFinished(() => database.close())
  const world = await openUpstreams(database, {})
  const upstream = await addUpstream(world, 'some', { url: server.url })
  return { server, client: new UpstreamCaller({ exchange: world.upstreams.exchange, upstream }) }
}

test.each([
  ['of 2026-07-28', { protocolVersion: '2026-07-28', capabilities: {}, serverInfo: { name: 's', version: '1' } }],
  ['of no revision', { resultType: 'complete' }],
])('a handshake %s opens nothing: its server is spoken to without one', async (_what, result) => {
  const { server, client } = await behind()
  server.answer = (asked) => {
    if (asked.method === 'initialize') return asked.result(result)
    if (asked.method === 'server/discover') return asked.result(discovered)
    asked.result({ resultType: 'complete', tools: [] })
  }
  expect((await client.open()).result?.['protocolVersion']).toBe('2025-11-25')
  expect((await client.ask('tools/list')).result?.['tools']).toEqual([])
  expect(server.of('tools/list').map(({ headers }) => headers['mcp-protocol-version'])).toEqual(['2026-07-28'])
})

test('a handshake of a revision with sessions is what it says', async () => {
  const { server, client } = await behind()
  server.answer = answerAsOfOld
  expect((await client.open()).result?.['protocolVersion']).toBe('2025-06-18')
  await client.ask('tools/list')
  expect(server.methods()).toEqual(['initialize', 'notifications/initialized', 'tools/list'])
})
