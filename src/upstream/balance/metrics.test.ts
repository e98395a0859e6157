import { castellanItself } from '#kernel'
import { openDatabase } from '#platform/database'
import { createTelemetry } from '#platform/telemetry'
import { expect, onTestFinished, test } from 'vitest'
import { freshSqlite } from '../../../test/world/databases.ts'
import { readExposition } from '../../../test/world/exposition.ts'
import { ModernClient } from '../../../test/world/servers/modern-client.ts'
import { startModernServer } from '../../../test/world/servers/modern-server.ts'
import { peerCommands } from '../../../test/world/servers/peers.ts'
import { startSessionServer } from '../../../test/world/servers/session-server.ts'
import { startSseServer } from '../../../test/world/servers/sse-server.ts'
import { UpstreamCaller } from '../../../test/world/servers/upstream-caller.ts'
import { addUpstream, openUpstreams } from '../../../test/world/servers/upstreams.ts'

async function start(bridge: { idleMs?: number } = {}) {
  const settings = { logLevel: 'error', logFormat: 'json', traceSampling: 0 } as const
  const telemetry = await createTelemetry({ settings, version: '1', redact: (value) => value })
  const database = await openDatabase({ url: await freshSqlite() })
  onTestFinished(() => Promise.all([telemetry.close(), database.close()]).then(() => undefined))
  const world = await openUpstreams(database, { meter: telemetry.meter, settings: { bridge } })
  const { exchange, catalog } = world.upstreams
  const counts = async () => {
    const families = readExposition(await telemetry.prometheus())
    const { samples = [] } = families.find(({ name }) => name === 'castellan_upstream_sessions') ?? {}
    return Object.fromEntries(samples.map(({ labels, value }) => [String(labels['kind']), value]))
  }
  const add = (name: string, address: Parameters<typeof addUpstream>[2]) => addUpstream(world, name, address)
  return { exchange, catalog, counts, add }
}

const none = { child: 0, 'event-channel': 0, face: 0, pooled: 0 }

test('sessions are counted by kind for as long as they are kept', async () => {
  const { exchange, counts, add } = await start()
  expect(await counts()).toEqual(none)
  const places = {
    child: { command: peerCommands.everything },
    'event-channel': { url: (await startSseServer()).url },
    face: { url: (await startModernServer()).url },
  }
  for (const [kind, place] of Object.entries(places)) {
    const caller = new UpstreamCaller({ exchange, upstream: await add(kind, place) })
    expect((await caller.open()).status).toBe(200)
    expect(await counts()).toEqual({ ...none, [kind]: 1 })
    await caller.end()
    expect(await counts()).toEqual(none)
  }
})

test('a face that its client left without a word ends once it was idle', async () => {
  const { exchange, counts, add } = await start({ idleMs: 100 })
  const caller = new UpstreamCaller({
    exchange,
    upstream: await add('modern', { url: (await startModernServer()).url }),
  })
  await caller.open()
  expect(await counts()).toEqual({ ...none, face: 1 })
  await expect.poll(counts, { timeout: 5_000 }).toEqual(none)
  expect((await caller.ask('tools/list')).status).toBe(404)
})

test('a session that modern clients share is counted once, until its server is removed', async () => {
  const { exchange, catalog, counts, add } = await start()
  const upstream = await add('old', { url: (await startSessionServer()).url })
  for (const client of [1, 2].map(() => new ModernClient({ exchange, upstream }))) {
    expect((await client.ask('tools/list')).status).toBe(200)
    expect(await counts()).toEqual({ ...none, pooled: 1 })
  }
  await catalog.remove('old', castellanItself)
  await expect.poll(counts).toEqual(none)
})
