import { openDatabase } from '#platform/database'
import type { Ledger } from '#audit'
import { expect, onTestFinished, test } from 'vitest'
import { legacyOnlyStdioCommand, modernOnlyStdioCommand } from '../../../test/conformance/upstreams.ts'
import { createTestClock } from '../../../test/world/clock.ts'
import { freshSqlite } from '../../../test/world/databases.ts'
import { ModernClient } from '../../../test/world/servers/modern-client.ts'
import { UpstreamCaller } from '../../../test/world/servers/upstream-caller.ts'
import { addUpstream, openUpstreams } from '../../../test/world/servers/upstreams.ts'

type Json = Record<string, unknown>

async function behind(command: readonly string[]) {
  const database = await openDatabase({ url: await freshSqlite() })
  onTestFinished(() => database.close())
  const clock = createTestClock(Date.now())
  const world = await openUpstreams(database, { clock })
  const upstream = await addUpstream(world, 'child', { command })
  const { exchange } = world.upstreams
  const client = (capabilities: Json = {}, ownerId = 'ada', deadlineMs = 15_000) =>
    new ModernClient({ exchange, upstream, capabilities, ownerId, deadlineMs })
  return { ledger: world.ledger, clock, client, legacy: () => new UpstreamCaller({ exchange, upstream }) }
}

async function countOf(ledger: Ledger, event: string): Promise<number> {
  return (await ledger.read({ limit: 1_000, event })).length
}

/** A child of old: knows its own methods after the handshake; what it does with others is told. */
const childOfOld = (unknown: string): string[] => [
  process.execPath,
  '-e',
  `let rest = ''
  const say = (message) => console.log(JSON.stringify({ jsonrpc: '2.0', ...message }))
  process.stdin.on('data', (chunk) => {
    const lines = (rest + chunk).split('\\n')
    rest = lines.pop()
    for (const line of lines) {
      const { id, method } = JSON.parse(line)
      const serverInfo = { name: 'old', version: '1' }
      if (method === 'initialize') say({ id, result: { protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo } })
      else if (method === 'tools/list') say({ id, result: { tools: [] } })
      else if (method === 'tools/call') say({ id, result: { content: [{ type: 'text', text: 'done' }] } })
      else if (id !== undefined) { ${unknown} }
    }
  })`,
]

test.each([
  ['with an error', "say({ id, error: { code: -32600, message: 'not initialized' } })"],
  ['with nothing', ''],
])('a child that answers the probe %s is one of old', async (_how, unknown) => {
  const { client } = await behind(childOfOld(unknown))
  const ada = client({}, 'ada', 2_000)
  expect((await ada.call('x')).result).toMatchObject({ resultType: 'complete', content: [{ text: 'done' }] })
  expect((await ada.ask('tools/list')).result).toMatchObject({ tools: [] })
})

test('a child that ends for being asked is one of old, and serves when it is started again', async () => {
  const { client, clock } = await behind(childOfOld('process.exit(1)'))
  await expect(client().call('x')).rejects.toMatchObject({ code: 'upstream.unavailable' })
  clock.advance(1_000)
  expect((await client().call('x')).result).toMatchObject({ resultType: 'complete', content: [{ text: 'done' }] })
})

test('the child that was started to be asked ends, and one child serves the calls of one owner', async () => {
  const { client, ledger } = await behind(legacyOnlyStdioCommand)
  await Promise.all([client().call('test_simple_text'), client().call('test_simple_text')])
  await client().ask('server/discover')
  expect(await countOf(ledger, 'upstream.child-started')).toBe(2)
  await expect.poll(() => countOf(ledger, 'upstream.child-ended'), { timeout: 5_000 }).toBe(1)
  await client({}, 'ben').call('test_simple_text')
  expect(await countOf(ledger, 'upstream.child-started')).toBe(3)
})

test('a child of 2026-07-28 serves both eras', async () => {
  const { client, legacy } = await behind(modernOnlyStdioCommand)
  expect((await client().call('test_simple_text')).result).toMatchObject({ resultType: 'complete' })
  const ben = legacy()
  expect((await ben.open()).result).toMatchObject({ protocolVersion: '2025-11-25' })
  expect((await ben.ask('tools/call', { name: 'test_simple_text', arguments: {} })).result).toHaveProperty('content')
})

test('a command that cannot be run is unreachable, in whatever era', async () => {
  const { client, legacy } = await behind(['/nowhere/at/all'])
  const code = expect.stringMatching(/^upstream\.un(?:reachable|available)$/)
  await expect(client().call('x')).rejects.toMatchObject({ code })
  await expect(legacy().open()).rejects.toMatchObject({ code })
})
