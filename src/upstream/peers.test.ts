import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '#platform/database'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freshSqlite } from '../../test/world/databases.ts'
import { temporaryFolder } from '../../test/world/folder.ts'
import { peerCommands, startEverythingHttp } from '../../test/world/servers/peers.ts'
import { UpstreamCaller } from '../../test/world/servers/upstream-caller.ts'
import { addUpstream, granted, openUpstreams } from '../../test/world/servers/upstreams.ts'

const notes = [process.execPath, join(import.meta.dirname, '../../examples/notes-server/notes-server.ts')]

async function behind(address: { command: readonly string[] } | { url: string }) {
  const database = await openDatabase({ url: await freshSqlite() })
  onTestFinished(() => database.close())
  const world = await openUpstreams(database)
  const upstream = await addUpstream(world, 'peer', address)
  const { exchange, pins } = world.upstreams
  const caller = (era: 'legacy' | 'modern' = 'legacy', ownerId = 'ada') =>
    new UpstreamCaller({ exchange, upstream, era, ownerId })
  return { ...world, pins, caller }
}

const namesOf = (tools: unknown) => (tools as { name: string }[]).map((tool) => tool.name).sort()

describe.each([
  ['stdio', async () => ({ command: peerCommands.everything })],
  ['Streamable HTTP', async () => ({ url: await startEverythingHttp() })],
])('server-everything over %s', (_transport, address) => {
  test('a session opens, lists, calls, reads, streams progress in order, and ends', async () => {
    const { caller } = await behind(await address())
    const ada = caller()
    expect((await ada.open()).result).toMatchObject({ protocolVersion: '2025-11-25', capabilities: { tools: {} } })
    expect(ada.sessionId).toBeDefined()
    expect(namesOf((await ada.ask('tools/list')).result?.['tools'])).toContain('echo')
    const said = await ada.ask('tools/call', { name: 'echo', arguments: { message: 'grüß dich' } })
    expect(JSON.stringify(said.result)).toContain('grüß dich')
    const work = {
      name: 'trigger-long-running-operation',
      arguments: { duration: 1, steps: 4 },
      _meta: { progressToken: 'p' },
    }
    const heard = await ada.ask('tools/call', work)
    const progress = heard.messages.filter((message) => message['method'] === 'notifications/progress')
    expect(progress.map((message) => (message['params'] as { progress: number }).progress)).toEqual([1, 2, 3, 4])
    expect(heard.messages.at(-1)).toHaveProperty('result')
    expect([200, 204]).toContain((await ada.end()).status)
    expect((await ada.start('tools/list')).status).toBeGreaterThanOrEqual(400)
  })

  test('a request of the server reaches the caller in the stream of its call', async () => {
    const { caller } = await behind(await address())
    const ada = caller()
    await ada.open()
    const params = { name: 'trigger-sampling-request', arguments: { prompt: 'hi', maxTokens: 5 } }
    const { kind, frames } = await ada.start('tools/call', params)
    expect(kind).toBe('stream')
    for await (const { body } of frames) {
      if (!body.includes('sampling/createMessage')) continue
      expect(JSON.parse(body)).toMatchObject({ method: 'sampling/createMessage', id: expect.anything() })
      break
    }
  })

  test('a review sees every tool and hides all of them until they are approved', async () => {
    const { pins } = await behind(await address())
    const seen = granted(await pins.review('peer'))
    expect(seen.length).toBeGreaterThan(10)
    expect(new Set(seen.map((pin) => pin.status))).toEqual(new Set(['new']))
    expect(granted(await pins.review('peer'))).toEqual(seen)
  })
})

test('server-filesystem reads a file in the folder of its argument and none outside', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'a.txt'), 'inside')
  const { caller, pins } = await behind({ command: peerCommands.filesystem(folder) })
  expect(namesOf(granted(await pins.review('peer')).map((pin) => ({ name: pin.tool })))).toContain('read_text_file')
  const ada = caller()
  await ada.open()
  const read = (path: string) => ada.ask('tools/call', { name: 'read_text_file', arguments: { path } })
  expect(JSON.stringify((await read(join(folder, 'a.txt'))).result)).toContain('inside')
  expect((await read('/etc/passwd')).result).toMatchObject({ isError: true })
})

test('server-memory keeps what one session said', async () => {
  const { caller } = await behind({ command: peerCommands.memory })
  const ada = caller()
  await ada.open()
  const heard = await ada.ask('tools/call', { name: 'read_graph', arguments: {} })
  expect(heard.result).toHaveProperty('content')
  expect(await ada.ask('no/such/method')).toMatchObject({ error: { code: -32601 } })
})

describe('the notes server', () => {
  test('speaks the revisions with a handshake', async () => {
    const { caller, pins } = await behind({ command: notes })
    expect(granted(await pins.review('peer')).map((pin) => pin.tool)).toEqual([
      'create_note',
      'delete_note',
      'list_notes',
      'read_note',
    ])
    const ada = caller()
    await ada.open()
    const made = await ada.ask('tools/call', { name: 'create_note', arguments: { title: 'T', text: 'X' } })
    const { id } = (made.result ?? {})['structuredContent'] as { id: string }
    expect((await ada.ask('tools/call', { name: 'read_note', arguments: { id } })).result).toMatchObject({
      structuredContent: { text: 'X' },
    })
    expect((await ada.ask('tools/call', { name: 'delete_note', arguments: { id } })).result).not.toHaveProperty(
      'isError',
    )
    expect((await ada.ask('tools/call', { name: 'read_note', arguments: { id } })).result).toMatchObject({
      isError: true,
    })
    expect((await ada.ask('resources/read', { uri: 'notes://all' })).result).toHaveProperty('contents')
    expect((await ada.ask('resources/read', { uri: 'notes://none' })).error).toMatchObject({ code: -32002 })
    expect((await ada.ask('prompts/get', { name: 'summarise_notes' })).result).toHaveProperty('messages')
  })

  test('speaks 2026-07-28 without one, and keeps the notes of two owners apart', async () => {
    const { caller } = await behind({ command: notes })
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const [ada, eve] = [caller('modern', 'ada'), caller('modern', 'eve')]
    expect((await ada.ask('server/discover', { _meta })).result).toMatchObject({
      resultType: 'complete',
      cacheScope: 'private',
    })
    await ada.ask('tools/call', { name: 'create_note', arguments: { title: 'Mine', text: 'secret' }, _meta })
    const all = async (who: UpstreamCaller) =>
      JSON.stringify((await who.ask('resources/read', { uri: 'notes://all', _meta })).result)
    expect(await all(ada)).toContain('secret')
    expect(await all(eve)).not.toContain('secret')
    expect((await eve.ask('ping', { _meta })).error).toMatchObject({ code: -32601 })
  })
})
