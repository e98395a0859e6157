/**
 * A server with sessions asks a question in the middle of Ben's call, whose client has none: the call waits in the gateway,
 * and Ben's client holds its state. Mallory has it from a log. She answers in Ben's name, bends it, sends it to another
 * server, and with other arguments; Ben repeats it, and comes too late. The call has to wait for Ben alone. Then she
 * does the same with the state of a server that keeps no sessions, and cannot tell her from Ben.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { modern } from '../world/messages.ts'
import { answerAsOfOld, type Asked, startOldServer } from '../world/servers/old-server.ts'
import { putBehind } from '../world/servers/peers.ts'
import { listOf, saying, startTellingServer, toolNamed } from '../world/servers/telling-server.ts'

type Json = Record<string, unknown>

const user = (server: string) => ({
  grants: [{ permissions: ['servers:use', 'tools:call'], resources: [server, `${server}/tools/*`] }],
})

const question = { mode: 'form', message: 'Transfer it?', requestedSchema: { type: 'object', properties: {} } }
const yes = { action: 'accept', content: { sure: true } }

/** A server of old whose tool asks before it answers, and tells what it was answered. */
async function startAsking() {
  const [world, liar] = [await startWorld(), await startOldServer()]
  for (const name of ['liar', 'twin']) await putBehind(world.ana, name, { url: liar.url })
  const waiting = new Map<unknown, Asked>()
  liar.answer = (asked: Asked) => {
    if (asked.method === 'tools/call') {
      waiting.set(`question-${waiting.size + 1}`, asked)
      return asked.event({ id: `question-${waiting.size}`, method: 'elicitation/create', params: question })
    }
    if (asked.method !== undefined || asked.id === undefined) return answerAsOfOld(asked)
    asked.send(202)
    const call = waiting.get(asked.id)
    call?.event({ id: call.id, result: { content: [{ type: 'text', text: asked.body }] } })
    call?.end()
  }
  for (const server of ['liar', 'twin']) await world.ana.api('PUT', `/roles/${server}-user`, user(server))
  const roles = ['liar-user', 'twin-user']
  const [ben, mallory] = [await world.join('ben', roles), await world.join('mallory', roles)]
  const tokens = { ben: await ben.mint('liar'), benAtTwin: await ben.mint('twin'), mallory: await mallory.mint('liar') }
  return { world, liar, tokens }
}

function call(world: World, token: string, more: Json = {}, upstream = 'liar') {
  const params = { name: 'echo', arguments: { amount: 10 }, ...more }
  const { message, headers } = modern({ jsonrpc: '2.0', id: 'é 1', method: 'tools/call', params })
  const meta = (message['params'] as Json)['_meta'] as Json
  meta['io.modelcontextprotocol/clientCapabilities'] = { elicitation: { form: {} } }
  return world.post({ token, upstream, message, headers })
}

const resultOf = ({ body }: { body: Json }): Json => (body['result'] ?? {}) as Json
const isRefused = { status: 200, body: { id: 'é 1', error: { code: -32602 } } }

/** Other states of about the same form. */
function bent(state: string): unknown[] {
  const [algorithm = '', key = '', body = ''] = state.split('.')
  return [
    `${state}A`,
    state.slice(0, -1),
    state.slice(0, -4) + (state.endsWith('AAAA') ? 'BBBB' : 'AAAA'),
    `${algorithm}.${key}.${body.split('').toReversed().join('')}`,
    `none.${key}.${body}`,
    '',
    7,
    null,
    { state },
    [state],
  ]
}

proves(
  ['SES-5', 'SES-4'],
  'a call that waits for answers goes on for its owner alone, once, as it was asked',
  async () => {
    const { world, liar, tokens } = await startAsking()
    const asked = resultOf(await call(world, tokens.ben))
    expect(asked).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) })
    const [key = ''] = Object.keys(asked['inputRequests'] as Json)
    const answer = { inputResponses: { [key]: yes }, requestState: asked['requestState'] }
    const tries = [
      call(world, tokens.mallory, answer),
      call(world, tokens.benAtTwin, answer, 'twin'),
      call(world, tokens.ben, { ...answer, arguments: { amount: 10_000 } }),
      call(world, tokens.ben, { ...answer, arguments: { amount: 10, to: 'mallory' } }),
      ...bent(String(asked['requestState'])).map((requestState) =>
        call(world, tokens.ben, { ...answer, requestState }),
      ),
    ]
    for (const refused of await Promise.all(tries)) expect(refused).toMatchObject(isRefused)
    expect(liar.arrived.filter(({ body }) => body.includes('"action"'))).toEqual([])
    expect(liar.of('notifications/cancelled')).toEqual([])

    const both = await Promise.all([call(world, tokens.ben, answer), call(world, tokens.ben, answer)])
    const done = both.filter(({ body }) => body['result'] !== undefined)
    expect(done).toHaveLength(1)
    expect(JSON.stringify(done[0])).toContain('accept')
    expect(both.find(({ body }) => body['error'] !== undefined)).toMatchObject(isRefused)
    expect(await call(world, tokens.ben, answer)).toMatchObject(isRefused)
    expect(liar.arrived.filter(({ body }) => body.includes('"action"'))).toHaveLength(1)
    expect(liar.of('tools/call')).toHaveLength(1)

    const ended = async (outcome: string): Promise<number> => {
      const entries = await world.ledger('&event=call.completed')
      return entries.filter((entry) => entry.target?.kind === 'tool' && entry.outcome === outcome).length
    }
    // WHY: what is not the person's own is refused before the server is asked; wrong arguments and a second use by the call.
    const notTheirs = tries.length - 2
    await expect.poll(() => ended('failed'), { timeout: 10_000 }).toBe(2 + 2)
    expect(await ended('succeeded')).toBe(2)
    expect(await world.ledger('&event=call.refused')).toHaveLength(notTheirs)
  },
)

proves(
  'SES-5',
  'a state that nobody came back with in time opens nothing, and the server is told',
  async () => {
    const { world, liar, tokens } = await startAsking()
    const asked = resultOf(await call(world, tokens.ben))
    const [key = ''] = Object.keys(asked['inputRequests'] as Json)
    world.clock.advance(10 * 60_000 - 1)
    await call(world, tokens.mallory, { requestState: asked['requestState'], inputResponses: { [key]: yes } })
    expect(liar.of('notifications/cancelled')).toEqual([])
    world.clock.advance(1)
    const late = await call(world, tokens.ben, { requestState: asked['requestState'], inputResponses: { [key]: yes } })
    expect(late).toMatchObject(isRefused)
    await expect.poll(() => liar.of('notifications/cancelled').length, { timeout: 15_000 }).toBe(1)
    const [cancelled] = liar.of('notifications/cancelled')
    expect(cancelled?.params['requestId']).toBe(liar.of('tools/call')[0]?.id)
    expect(liar.arrived.filter(({ body }) => body.includes('"action"'))).toEqual([])
    expect(JSON.stringify(await world.ledger())).not.toContain(String(asked['requestState']))
  },
  30_000,
)

/** A server of 2026-07-28 that asks first, and trusts whoever brings its state: to it everybody is Castellan. */
async function startTrusting() {
  const world = await startWorld()
  const server = await startTellingServer(({ method, params }) => {
    if (method === 'tools/list') return listOf('tools', ['transfer', 'other'].map(toolNamed))
    if (method !== 'tools/call') return undefined
    const { requestState, name } = params
    if (typeof requestState === 'string') return saying(`done for ${requestState}`)
    const inputRequests = { sure: { method: 'elicitation/create', params: question } }
    return { result: { resultType: 'input_required', requestState: `ben's "${String(name)}"`, inputRequests } }
  })
  for (const name of ['bank', 'twin']) await putBehind(world.ana, name, { url: server.url })
  await world.ana.api('POST', '/bundles', { name: 'work', upstreams: ['bank'] })
  for (const name of ['bank', 'twin']) await world.ana.api('PUT', `/roles/${name}-user`, user(name))
  const roles = ['bank-user', 'twin-user']
  return { world, server, ben: await world.join('ben', roles), mallory: await world.join('mallory', roles) }
}

proves(
  ['JNT-2', 'LED-3'],
  'a state of a server that has no sessions goes back from its person, to its address and call, and from nobody else',
  async () => {
    const { world, server, ben, mallory } = await startTrusting()
    const ask = (token: string, upstream: string, more: Json = {}) => {
      const name = upstream.startsWith('/') ? 'bank__transfer' : 'transfer'
      const params = { name, arguments: {}, ...more }
      return world.post({ token, upstream, ...modern({ jsonrpc: '2.0', id: 'é 1', method: 'tools/call', params }) })
    }
    const places = ['bank', '/mcp', '/bundles/work/mcp']
    const bens = await ben.mint('twin', 2 * 3_600)
    const kept: (() => ReturnType<typeof ask>)[] = []
    let refused = 0
    for (const place of places) {
      const token = await ben.mint(place, 2 * 3_600)
      const asked = resultOf(await ask(token, place))
      expect(asked).toMatchObject({ resultType: 'input_required', inputRequests: { sure: {} } })
      const requestState = String(asked['requestState'])
      expect(requestState).not.toContain('ben')
      const answer = { requestState, inputResponses: { sure: yes } }
      const before = server.asked.length
      const elsewhere = places.filter((each) => each !== place)
      const other = place === 'bank' ? 'other' : 'bank__other'
      const tries = [
        ask(await mallory.mint(place), place, answer),
        ask(token, place, { ...answer, name: other }),
        ask(bens, 'twin', answer),
        ...(await Promise.all(elsewhere.map(async (each) => ask(await ben.mint(each), each, answer)))),
        ...bent(requestState).map((state) => ask(token, place, { ...answer, requestState: state })),
        ask(token, place, { ...answer, requestState: `ben's "transfer"` }),
      ]
      for (const each of await Promise.all(tries)) expect(each).toMatchObject(isRefused)
      expect(server.asked).toHaveLength(before)
      refused += tries.length

      const done = await ask(token, place, answer)
      expect(done.body['result']).toMatchObject({ content: [{ text: `done for ben's "transfer"` }] })
      kept.push(() => ask(token, place, answer))
    }
    expect(await world.ledger('&refusal=gateway.state-unknown')).toHaveLength(refused)
    const before = server.asked.length
    world.clock.advance(3_600_000)
    for (const askAgain of kept) expect(await askAgain()).toMatchObject(isRefused)
    expect(server.asked).toHaveLength(before)
  },
  60_000,
)
