/**
 * Several servers answer at one address. One is gone, one never answers, one is held, one answers nonsense: each could take
 * what the others have to tell away from everybody.
 */
import { expect, vi } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { modern } from '../world/messages.ts'
import { putBehind } from '../world/servers/peers.ts'
import { listOf, saying, startTellingServer, type TellingServer, toolNamed } from '../world/servers/telling-server.ts'

interface Listed {
  readonly tools: { name: string }[]
  readonly ttlMs: number
  readonly cacheScope: string
  readonly nextCursor?: string
  readonly _meta: { 'castellan/absent'?: { server: string; code: string; says: string }[] }
}

const quick = { CASTELLAN_LIMITS__UPSTREAM_SILENCE_SECONDS: '1' }

interface Moody extends TellingServer {
  readonly moods: { now: 'well' | 'silent' | 'mad' }
}

/** A server of one tool that can be made to fall silent, or to answer nonsense. */
async function startMoody(): Promise<Moody> {
  const moods: Moody['moods'] = { now: 'well' }
  const server = await startTellingServer(({ method }) => {
    if (moods.now === 'silent') return 'silence'
    if (moods.now === 'mad') return { result: { resultType: 'complete', tools: 'none' } }
    if (method === 'tools/list') return listOf('tools', [toolNamed('work')])
    return method === 'tools/call' ? saying('worked') : undefined
  })
  return { ...server, moods }
}

function ask(world: World, token: string, method: string, params: Record<string, unknown> = {}) {
  return world.post({ token, upstream: '/mcp', ...modern({ jsonrpc: '2.0', id: 1, method, params }) })
}

interface News {
  readonly heard: { method?: string; params: { uri?: string; _meta: Record<string, unknown> }; error?: object }[]
  /** The methods of what was heard. */
  methods(): (string | undefined)[]
  leave(): void
  /** Resolves when the stream has ended. */
  readonly over: Promise<unknown>
}

async function listen(world: World, { token, path = '/mcp' }: { token: string; path?: string }): Promise<News> {
  const resourceSubscriptions = ['well+test://a', 'fragile+test://b', 'nobody+x:y']
  const notifications = { toolsListChanged: true, resourceSubscriptions }
  const made = modern({ jsonrpc: '2.0', id: 'news', method: 'subscriptions/listen', params: { notifications } })
  const stop = new AbortController()
  const response = await fetch(`${world.gatewayUrl}${path}`, {
    method: 'POST',
    headers: {
      ...made.headers,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify(made.message),
    signal: stop.signal,
  })
  const heard: News['heard'] = []
  const read = async (): Promise<void> => {
    for await (const chunk of response.body ?? []) {
      const lines = Buffer.from(chunk).toString().split('\n')
      for (const line of lines)
        if (line.startsWith('data: {')) heard.push(JSON.parse(line.slice(6)) as News['heard'][0])
    }
  }
  const over = read().catch(() => undefined)
  await vi.waitFor(() => expect(heard).toHaveLength(1), { timeout: 5_000 })
  return { heard, methods: () => heard.map(({ method }) => method), leave: () => stop.abort(), over }
}

async function worldOfThree() {
  const world = await startWorld()
  const [well, fragile] = [await startMoody(), await startMoody()]
  await putBehind(world.ana, 'well', { url: well.url })
  await putBehind(world.ana, 'fragile', { url: fragile.url })
  return { world, well, fragile }
}

proves(
  'JNT-3',
  'what is broken takes its own tools out of the list, says so, and breaks nothing else',
  async () => {
    const world = await startWorld({ env: quick })
    const [silent, mad, gone, held] = await Promise.all([startMoody(), startMoody(), startMoody(), startMoody()])
    for (const [name, { url }] of Object.entries({ silent, mad, gone, held })) await putBehind(world.ana, name, { url })
    const token = await world.ana.mint('/mcp')
    const before = (await ask(world, token, 'tools/list')).body['result'] as unknown as Listed
    expect(before.tools.map(({ name }) => name)).toEqual([
      'books__echo',
      'books__slow',
      'books__drip',
      'books__secret_tool',
      'gone__work',
      'held__work',
      'mad__work',
      'silent__work',
    ])
    expect(before).toMatchObject({ ttlMs: 60_000, cacheScope: 'private' })
    expect(before._meta['castellan/absent']).toBeUndefined()

    silent.moods.now = 'silent'
    mad.moods.now = 'mad'
    gone.die()
    await world.ana.api('POST', '/holds', { kind: 'upstream', subject: 'held', reason: 'under investigation' })
    const begun = performance.now()
    const after = (await ask(world, token, 'tools/list')).body['result'] as unknown as Listed
    expect(performance.now() - begun).toBeLessThan(5_000)
    expect(after.tools.map(({ name }) => name)).toEqual([
      'books__echo',
      'books__slow',
      'books__drip',
      'books__secret_tool',
    ])
    expect(after).toMatchObject({ ttlMs: 0, cacheScope: 'private' })
    const absent = after._meta['castellan/absent'] ?? []
    expect(absent.map(({ server, code }) => `${server} ${code}`)).toEqual([
      'gone gateway.upstream-unreachable',
      'held gateway.held',
      'mad gateway.upstream-misbehaved',
      'silent gateway.upstream-timeout',
    ])
    expect(JSON.stringify(after)).not.toContain('127.0.0.1')

    const called = await ask(world, token, 'tools/call', { name: 'books__echo', arguments: { text: 'still here' } })
    expect(called.body['result']).toMatchObject({ content: [{ text: '{"text":"still here"}' }] })
    const refused = await ask(world, token, 'tools/call', { name: 'held__work' })
    expect(refused.status).toBe(403)
    expect(held.asked.filter(({ method }) => method === 'tools/call')).toEqual([])
    await vi.waitFor(async () => {
      const ends = (await world.ledger()).filter(
        ({ event, outcome }) => event.startsWith('call.') && outcome !== 'intended',
      )
      const failed = ends.filter(({ outcome }) => outcome !== 'succeeded').map(({ target }) => target?.upstream)
      expect([...new Set(failed)].toSorted()).toEqual(['gone', 'held', 'mad', 'silent'])
    })
  },
  60_000,
)

proves(
  'JNT-3',
  'news of one server goes on while another is gone, and a server that comes back is followed again',
  async () => {
    const { world, well, fragile } = await worldOfThree()
    const news = await listen(world, { token: await world.ana.mint('/mcp') })
    const { heard } = news
    const uris: unknown = expect.arrayContaining(['well+test://a', 'fragile+test://b'])
    const mark = { 'io.modelcontextprotocol/subscriptionId': 'news' }
    expect(heard[0]).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { toolsListChanged: true, resourceSubscriptions: uris }, _meta: mark },
    })
    fragile.breakStreams()
    well.notify('notifications/resources/updated', { uri: 'test://a' })
    await vi.waitFor(() => expect(heard.at(-1)?.params).toMatchObject({ uri: 'well+test://a', _meta: mark }))
    await vi.waitFor(() => expect(fragile.listeners()).toBe(1), { timeout: 10_000 })
    fragile.notify('notifications/resources/updated', { uri: 'test://b' })
    await vi.waitFor(() => expect(heard.at(-1)?.params.uri).toBe('fragile+test://b'))

    news.leave()
    await news.over
    await vi.waitFor(() => expect([well.listeners(), fragile.listeners()]).toEqual([0, 0]), { timeout: 5_000 })
    const entries = (await world.ledger()).filter(({ details }) => details?.['method'] === 'subscriptions/listen')
    const intended = entries.filter(({ event }) => event === 'call.intended').map(({ target }) => target?.upstream)
    const others = intended.filter((upstream) => upstream !== 'books')
    expect(others.toSorted()).toEqual(['/mcp', 'fragile', 'fragile', 'well'])
  },
  30_000,
)

proves(
  ['AUT-4', 'JNT-1'],
  'a lost right ends the news of that server, a removed bundle and a revoked token all of it',
  async () => {
    const { world, well, fragile } = await worldOfThree()
    const grant = (resources: string[]) => {
      const grants = [{ permissions: ['servers:use', 'tools:call', 'resources:read'], resources }]
      return world.ana.api('PUT', '/roles/listener', { description: 'listens', grants })
    }
    const ofWell = ['well', 'well/tools/*', 'well/resources/*']
    await grant([...ofWell, 'fragile', 'fragile/tools/*', 'fragile/resources/*'])
    await world.ana.api('POST', '/bundles', { name: 'work', upstreams: ['well', 'fragile'] })
    const ben = await world.join('ben', ['listener'])
    const path = '/bundles/work/mcp'
    const bundled = await listen(world, { token: await ben.mint(path), path })
    const all = await listen(world, { token: await ben.mint('/mcp') })
    await vi.waitFor(() => expect([well.listeners(), fragile.listeners()]).toEqual([2, 2]), { timeout: 5_000 })

    await grant(ofWell)
    await vi.waitFor(() => expect([well.listeners(), fragile.listeners()]).toEqual([2, 0]), { timeout: 5_000 })
    await vi.waitFor(() => expect(all.methods()).toContain('notifications/tools/list_changed'), { timeout: 5_000 })
    const before = all.heard.length
    fragile.notify('notifications/resources/updated', { uri: 'test://b' })
    well.notify('notifications/resources/updated', { uri: 'test://a' })
    await vi.waitFor(() => expect(all.heard.length).toBeGreaterThan(before))
    expect(all.heard.at(-1)?.params.uri).toBe('well+test://a')

    await world.ana.api('DELETE', '/bundles/work')
    await bundled.over
    expect(bundled.heard.at(-1)?.error).toMatchObject({ message: expect.stringContaining(path) as unknown })
    const tokens = (await ben.api('GET', '/tokens')).body['items'] as { id: string; resource: string }[]
    for (const { id } of tokens) await ben.api('DELETE', `/tokens/${id}`)
    await all.over
    await vi.waitFor(() => expect(well.listeners()).toBe(0), { timeout: 5_000 })
    await vi.waitFor(async () => {
      const cut = (await world.ledger('&event=call.cut')).map(({ target }) => target?.upstream)
      expect(cut).toEqual(expect.arrayContaining(['fragile', '/mcp', path]))
    })
  },
  30_000,
)

proves(['JNT-3', 'LIM-2'], 'one person cannot open streams without number where several servers answer', async () => {
  const world = await startWorld({ env: { CASTELLAN_LIMITS__OPEN_STREAMS_PER_PRINCIPAL: '2' } })
  const well = await startMoody()
  await putBehind(world.ana, 'well', { url: well.url })
  const token = await world.ana.mint('/mcp')
  const { message, headers } = modern({
    jsonrpc: '2.0',
    id: 1,
    method: 'subscriptions/listen',
    params: { notifications: { toolsListChanged: true } },
  })
  const stop = new AbortController()
  const open = [1, 2].map(() => world.post({ token, upstream: '/mcp', message, headers, signal: stop.signal }))
  for (const each of open) each.catch(() => undefined)
  await vi.waitFor(() => expect(well.listeners()).toBe(2), { timeout: 5_000 })
  const third = await world.post({ token, upstream: '/mcp', message, headers })
  expect(third.status).toBe(429)
  expect(JSON.stringify(third.body)).toContain('gateway.too-many-streams')
  stop.abort()
  await vi.waitFor(() => expect(well.listeners()).toBe(0), { timeout: 5_000 })
})

/** Longest position of one server, and most characters of a list, in the next test. */
const [maxCursorChars, maxListChars] = [16_384, 100_000]

proves(
  'JNT-3',
  'a server that lists too much, or names its place at too great a length, leaves room for the others',
  async () => {
    const world = await startWorld({ env: { CASTELLAN_LIMITS__ANSWER_BYTES: String(maxListChars) } })
    const positions: Record<string, number> = { 'b-at-limit': maxCursorChars, 'c-past-limit': maxCursorChars + 1 }
    const sizes: Record<string, number> = { 'd-large': 60_000, 'e-large': 60_000, 'f-small': 10 }
    for (const name of [...Object.keys(positions), ...Object.keys(sizes)]) {
      const tool = { ...toolNamed('work'), description: 'x'.repeat(sizes[name] ?? 10) }
      const next = positions[name] === undefined ? undefined : 'p'.repeat(positions[name])
      const server = await startTellingServer(({ method, params }) => {
        if (method !== 'tools/list') return undefined
        return params['cursor'] === undefined ? listOf('tools', [tool], next) : listOf('tools', [toolNamed('more')])
      })
      await putBehind(world.ana, name, { url: server.url })
      await world.ana.api('POST', `/upstreams/${name}/tools/approve`, { tools: 'all' })
    }
    const token = await world.ana.mint('/mcp')
    const { body } = await ask(world, token, 'tools/list')
    const result = body['result'] as unknown as Listed
    const listed = result.tools.map(({ name }) => name).filter((name) => !name.startsWith('books'))
    expect(listed).toEqual(['b-at-limit__work', 'd-large__work', 'f-small__work'])
    const absent = result._meta['castellan/absent'] ?? []
    expect(absent.map(({ server, code }) => `${server} ${code}`)).toEqual([
      'c-past-limit gateway.list-too-large',
      'e-large gateway.list-too-large',
    ])
    const rest = (await ask(world, token, 'tools/list', { cursor: result.nextCursor })).body[
      'result'
    ] as unknown as Listed
    expect(rest.tools.map(({ name }) => name)).toEqual(['b-at-limit__more'])
    await vi.waitFor(async () => {
      const ends = (await world.ledger('&event=call.completed')).map(({ target }) => target?.upstream)
      expect(ends).toEqual(expect.arrayContaining(['c-past-limit', 'e-large', 'f-small', '/mcp']))
    })
  },
)
