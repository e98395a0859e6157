/**
 * Where several servers answer at one address, Castellan gives out positions in lists and states of unfinished calls.
 * Mallory brings those of Ben, changed ones, and her own where they do not belong.
 */
import { expect, vi } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { modern } from '../world/messages.ts'
import type { Person } from '../world/people.ts'
import { putBehind } from '../world/servers/peers.ts'
import { listOf, saying, startTellingServer, type TellingServer, toolNamed } from '../world/servers/telling-server.ts'

const inputRequests = {
  sure: {
    method: 'elicitation/create',
    params: { mode: 'form', message: 'Sure?', requestedSchema: { type: 'object' } },
  },
}

/** Three pages of tools, the second at the empty cursor; two tools that ask before they do anything. */
function startPages(): Promise<TellingServer> {
  return startTellingServer(({ method, params }) => {
    const { cursor, name, requestState } = params
    if (method === 'tools/list' && cursor === undefined) return listOf('tools', [toolNamed('first')], '')
    if (method === 'tools/list' && cursor === '') return listOf('tools', [toolNamed('second')], 'last')
    if (method === 'tools/list' && cursor === 'last') return listOf('tools', [toolNamed('third')])
    if (method !== 'tools/call') return undefined
    if (typeof requestState === 'string') return saying(`${String(name)} with ${requestState}`)
    return { result: { resultType: 'input_required', inputRequests, requestState: `state of ${String(name)}` } }
  })
}

interface Stage {
  readonly world: World
  readonly pages: TellingServer
  readonly ben: Person
  readonly mallory: Person
}

async function stage(): Promise<Stage> {
  const [world, pages] = [await startWorld(), await startPages()]
  await putBehind(world.ana, 'pages', { url: pages.url })
  await putBehind(world.ana, 'others', { url: (await startPages()).url })
  await world.ana.api('POST', '/bundles', { name: 'work', upstreams: ['pages'] })
  const resources = ['pages', 'pages/tools/*', 'others', 'others/tools/*']
  const grants = [{ permissions: ['servers:use', 'tools:call'], resources }]
  await world.ana.api('PUT', '/roles/pages-user', { description: 'reads pages', grants })
  return {
    world,
    pages,
    ben: await world.join('ben', ['pages-user']),
    mallory: await world.join('mallory', ['pages-user']),
  }
}

interface Answered {
  readonly result?: { tools: { name: string }[]; nextCursor?: string; requestState?: string; inputRequests?: object }
  readonly error?: { code: number }
}

interface Ask {
  readonly world: World
  readonly token: string
  readonly path?: string
}

const canBeAsked = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } } }

async function ask({ world, token, path = '/mcp' }: Ask, method: string, params: object = {}): Promise<Answered> {
  const made = modern({ jsonrpc: '2.0', id: 1, method, params: { ...params } })
  const sent = made.message['params'] as { _meta: object }
  const message = { ...made.message, params: { ...sent, _meta: { ...sent._meta, ...canBeAsked } } }
  const { body } = await world.post({ token, upstream: path, headers: made.headers, message })
  return body
}

proves(
  'JNT-2',
  'pages of several servers are walked to their end; a position opens for its owner and place only',
  async () => {
    const { world, pages, ben, mallory } = await stage()
    const token = await ben.mint('/mcp')
    const seen: string[][] = []
    let cursor: string | undefined
    const cursors: string[] = []
    do {
      const { result } = await ask({ world, token }, 'tools/list', cursor === undefined ? {} : { cursor })
      seen.push((result?.tools ?? []).map(({ name }) => name))
      cursor = result?.nextCursor
      if (cursor !== undefined) cursors.push(cursor)
    } while (cursor !== undefined && seen.length < 10)
    expect(seen).toEqual([
      ['others__first', 'pages__first'],
      ['others__second', 'pages__second'],
      ['others__third', 'pages__third'],
    ])

    const [first = ''] = cursors
    const before = pages.asked.length
    const flipped = `${first.slice(0, -2)}${first.at(-2) === 'A' ? 'B' : 'A'}${first.slice(-1)}`
    const atWork = { world, token: await ben.mint('/bundles/work/mcp'), path: '/bundles/work/mcp' }
    const tried = [
      ask({ world, token: await mallory.mint('/mcp') }, 'tools/list', { cursor: first }),
      ask(atWork, 'tools/list', { cursor: first }),
      ask({ world, token }, 'prompts/list', { cursor: first }),
      ...[flipped, '', 'last', 'x.y.z'].map((invented) => ask({ world, token }, 'tools/list', { cursor: invented })),
      ask({ world, token }, 'tools/list', { cursor: 7 }),
    ]
    for (const { error } of await Promise.all(tried)) expect(error).toMatchObject({ code: -32602 })
    expect(pages.asked).toHaveLength(before)
    await vi.waitFor(async () => {
      const ends = (await world.ledger('&event=call.completed')).filter(({ target }) => target?.upstream === '/mcp')
      expect(ends.filter(({ outcome }) => outcome === 'failed')).toHaveLength(7)
    })
  },
  60_000,
)

proves('JNT-2', 'a state goes back to the call it came from, and opens for nobody and nothing else', async () => {
  const { world, pages, ben, mallory } = await stage()
  const bens = { world, token: await ben.mint('/mcp', 2 * 3_600) }
  const { result } = await ask(bens, 'tools/call', { name: 'pages__first' })
  const requestState = result?.requestState ?? ''
  expect(requestState).not.toContain('state of first')
  expect(result?.inputRequests).toMatchObject({ sure: { params: { message: '[pages] Sure?' } } })

  const before = pages.asked.length
  const inputResponses = { sure: { action: 'accept', content: {} } }
  const answer = { requestState, inputResponses }
  const atWork = { world, token: await ben.mint('/bundles/work/mcp'), path: '/bundles/work/mcp' }
  const tried = [
    ask({ world, token: await mallory.mint('/mcp') }, 'tools/call', { name: 'pages__first', ...answer }),
    ask(bens, 'tools/call', { name: 'pages__second', ...answer }),
    ask(bens, 'tools/call', { name: 'others__first', ...answer }),
    ask(atWork, 'tools/call', { name: 'pages__first', ...answer }),
    ask(bens, 'tools/call', { name: 'pages__first', inputResponses, requestState: 'state of first' }),
    ask(bens, 'tools/call', { name: 'pages__first', inputResponses, requestState: `${requestState}x` }),
  ]
  for (const { error } of await Promise.all(tried)) expect(error).toMatchObject({ code: -32602 })
  expect(pages.asked).toHaveLength(before)
  expect(await world.ledger('&event=call.refused')).toHaveLength(6)

  const finished = await ask(bens, 'tools/call', { name: 'pages__first', ...answer })
  expect(finished.result).toMatchObject({ content: [{ text: 'first with state of first' }] })
  world.clock.advance(3_600_001)
  expect((await ask(bens, 'tools/call', { name: 'pages__first', ...answer })).error).toMatchObject({ code: -32602 })
})
