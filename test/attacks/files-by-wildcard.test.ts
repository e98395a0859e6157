/**
 * A role grants all resources of a server, and one of them is `file:///etc/passwd`; or a server asks the client's side
 * for its roots, and gets the names of folders on a person's machine because nobody said no (GHSA-x39c-q2jx-f325).
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { modern } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, sendEvent, sendResult } from '../world/servers/lying-upstream.ts'
import { entriesOf } from '../world/edge/entries.ts'

const file = 'file:///etc/passwd'
const everything = {
  permissions: ['servers:use', 'tools:call', 'resources:read', 'prompts:get'],
  resources: ['liar', 'liar/*'],
}

const request = (method: string, params: object, id: unknown = 7) => ({ jsonrpc: '2.0', id, method, params })

/** Ben has every permission but the two; Cara has them for one file and for roots. */
async function startFiles() {
  const world = await startWorld()
  const liar = await addLyingUpstream(world)
  await world.ana.api('PUT', '/roles/all-but-files', { grants: [everything] })
  await world.ana.api('PUT', '/roles/one-file', {
    grants: [
      { permissions: ['files:read'], resources: [`liar/resources/${file}`] },
      { permissions: ['roots:share'], resources: ['liar'] },
    ],
  })
  const [ben, cara] = [
    await world.join('ben', ['all-but-files']),
    await world.join('cara', ['all-but-files', 'one-file']),
  ]
  return { world, liar, ben: await ben.mint('liar'), cara: await cara.mint('liar') }
}

function post(world: World, token: string, message: Record<string, unknown>, isModern = false) {
  const sent = isModern ? modern(message as never) : { message, headers: {} }
  return world.post({ token, upstream: 'liar', ...sent })
}

const spellings = [
  file,
  'FILE:///etc/passwd',
  'file:/etc/passwd',
  'fi\tle:///etc/passwd',
  ' file:///x',
  'jar:file:///x',
  '/etc/passwd',
  '../x',
  'C:\\x',
]

proves(
  ['POL-4', 'POL-1'],
  'no wildcard on resources reads a file, by any spelling and by any method that names one',
  async () => {
    const { world, liar, ben, cara } = await startFiles()
    const reached = () =>
      liar.of('resources/read').length + liar.of('resources/subscribe').length + liar.of('completion/complete').length
    for (const uri of spellings) {
      const argument = { name: 'a', value: 'b' }
      const tries = [
        [request('resources/read', { uri }), false],
        [request('resources/read', { uri }), !/[\t ]/.test(uri)],
        [request('resources/subscribe', { uri }), false],
        [request('completion/complete', { ref: { type: 'ref/resource', uri }, argument }), false],
      ] as const
      const answers = tries.map(async ([message, isModern]) => {
        const answer = await post(world, ben, message, isModern)
        expect(answer.body, `${message.method} ${uri}`).toMatchObject({ id: 7, error: { code: -32602 } })
      })
      await Promise.all(answers)
    }
    const filter = { notifications: { resourceSubscriptions: ['test://fine', file] } }
    expect((await post(world, ben, request('subscriptions/listen', filter), true)).body).toMatchObject({
      error: { code: -32602 },
    })
    expect(reached()).toBe(0)
    expect(liar.of('subscriptions/listen')).toHaveLength(0)
    expect(await world.ledger('&refusal=gateway.not-granted')).toHaveLength(spellings.length * 4 + 1)

    expect((await post(world, ben, request('resources/read', { uri: 'test://fine' }))).body).toMatchObject({
      result: {},
    })
    expect((await post(world, cara, request('resources/read', { uri: file }))).body).toMatchObject({ result: {} })
    expect((await post(world, cara, request('resources/read', { uri: `${file}-` }))).body).toMatchObject({
      error: { code: -32602 },
    })
    expect(reached()).toBe(2)
  },
)

proves(
  ['POL-4', 'POL-2'],
  'a file that may not be read is not listed, nor is a template that could become one',
  async () => {
    const { world, liar, ben, cara } = await startFiles()
    const resources = [
      { uri: 'test://fine', name: 'fine' },
      { uri: file, name: 'passwd' },
      { uri: 'file:///other', name: 'other' },
    ]
    const resourceTemplates = [
      { uriTemplate: 'test://{id}', name: 'fine' },
      { uriTemplate: 'file:///{+path}', name: 'files' },
      { uriTemplate: '{+uri}', name: 'anything' },
    ]
    liar.answer = (asked) => {
      if (asked.method === 'resources/list') return sendResult(asked, { resources })
      return asked.method === 'resources/templates/list'
        ? sendResult(asked, { resourceTemplates })
        : answerHonestly(asked)
    }
    const list = async (token: string, method: string) => {
      const { body } = await post(world, token, request(method, {}))
      return Object.values(body['result'] as object)
        .flat()
        .map((each) => (each as { name: string }).name)
    }
    expect(await list(ben, 'resources/list')).toEqual(['fine'])
    expect(await list(cara, 'resources/list')).toEqual(['fine', 'passwd'])
    expect(await list(ben, 'resources/templates/list')).toEqual(['fine'])
    expect(liar.of('resources/list')).toHaveLength(2)
    await entriesOf(world, 'event=call.completed', 3)
  },
)

const roots = { roots: [{ uri: 'file:///home/ben/secret', name: 'secret' }] }

proves('POL-4', 'a server that asks for roots is not heard, and roots that are told anyway do not leave', async () => {
  const { world, liar, ben, cara } = await startFiles()
  liar.answer = (asked) => {
    if (asked.method !== 'tools/call') return answerHonestly(asked)
    sendEvent(asked, { id: 'asks', method: 'roots/list' })
    sendEvent(asked, { id: asked.id, result: { content: [] } })
    asked.res.end()
  }
  const call = request('tools/call', { name: 'echo', arguments: {} })
  const [asBen, asCara] = [await post(world, ben, call), await post(world, cara, call)]
  expect(asBen.events.map(({ method }) => method)).toEqual([undefined])
  expect(asCara.events.map(({ method }) => method)).toEqual(['roots/list', undefined])

  const told = { jsonrpc: '2.0', id: 'asks', result: roots }
  const refused = await post(world, ben, told)
  expect(refused.status).toBe(403)
  expect(refused.body).toMatchObject({ error: { data: { code: 'gateway.roots-not-shared' } } })
  expect(refused.body).not.toHaveProperty('id')
  for (const name of ['Roots', 'ROOTS', 'ro\u00adots']) {
    const spelt = { ...told, result: { [name]: roots.roots } }
    expect((await post(world, ben, spelt)).body).toMatchObject({
      error: { data: { code: 'gateway.roots-not-shared' } },
    })
  }
  expect((await post(world, cara, told)).status).toBeLessThan(300)
  expect((await post(world, ben, { jsonrpc: '2.0', id: 'asks', result: {} })).status).toBeLessThan(300)
  expect(liar.bodies().filter((body) => body.includes('secret'))).toHaveLength(1)
  expect(await world.ledger('&refusal=gateway.roots-not-shared')).toHaveLength(4)
})

proves(
  'POL-4',
  'roots are neither asked for nor told as an input of a call, without the permission (2026-07-28)',
  async () => {
    const { world, liar, ben, cara } = await startFiles()
    const inputRequests = { where: { method: 'roots/list', params: {} } }
    liar.answer = (asked) => {
      if (asked.method !== 'tools/call') return answerHonestly(asked)
      sendResult(asked, { resultType: 'input_required', inputRequests, requestState: 's' })
    }
    const call = request('tools/call', { name: 'echo', arguments: {} })
    expect((await post(world, ben, call, true)).body).toMatchObject({ id: 7, error: { code: -32603 } })
    const { body } = await post(world, cara, call, true)
    expect(body).toMatchObject({ id: 7, result: { inputRequests } })
    const { requestState } = body['result'] as { requestState: string }
    const asked = liar.of('tools/call').length
    const answered = { name: 'echo', arguments: {}, inputResponses: { where: roots } }
    const refused = await post(world, ben, request('tools/call', answered), true)
    expect(refused.body).toMatchObject({ error: { data: { code: 'gateway.roots-not-shared' } } })
    expect(liar.of('tools/call')).toHaveLength(asked)
    await post(world, cara, request('tools/call', { ...answered, requestState }), true)
    expect(liar.of('tools/call').at(-1)?.params).toMatchObject({ requestState: 's', inputResponses: { where: roots } })
    expect(await world.ledger('&refusal=gateway.roots-not-shared')).toHaveLength(1)
  },
)
