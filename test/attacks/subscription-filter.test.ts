/**
 * Ben may read one resource. He asks to be told about others: by name, in a filter of another shape, of another
 * spelling, or about tasks; and he completes an argument of another resource behind a second reference.
 */
import { expect } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { entriesOf } from '../world/edge/entries.ts'
import { modern } from '../world/messages.ts'
import { addLyingUpstream, answerHonestly, type LyingUpstream, sendEvent } from '../world/servers/lying-upstream.ts'

const subscriptionId = 'io.modelcontextprotocol/subscriptionId'

const role = {
  grants: [{ permissions: ['servers:use', 'resources:read'], resources: ['liar', 'liar/resources/open://a'] }],
}

async function start(): Promise<{ world: World; liar: LyingUpstream; token: string }> {
  const world = await startWorld()
  const liar = await addLyingUpstream(world)
  await world.ana.api('PUT', '/roles/liar-reader', role)
  const token = await (await world.join('ben', ['liar-reader'])).mint('liar')
  return { world, liar, token }
}

const listen = (notifications: unknown) =>
  modern({ jsonrpc: '2.0', id: 9, method: 'subscriptions/listen', params: { notifications } })

proves(['POL-1', 'MSG-1'], 'a subscription reaches the upstream only if each thing it names is granted', async () => {
  const { world, liar, token } = await start()
  const filters = [
    { resourceSubscriptions: ['open://b'] },
    { resourceSubscriptions: ['open://a', 'open://b'] },
    { resourceSubscriptions: { 'open://b': true } },
    { resourceSubscriptions: 'open://b' },
    { resourceSubscriptions: [['open://b']] },
    { ResourceSubscriptions: ['open://b'] },
    { toolsListChanged: { resourceSubscriptions: ['open://b'] } },
    { taskIds: ['task-of-ana'] },
    ['open://b'],
  ]
  for (const filter of filters) {
    const answer = await world.post({ token, upstream: 'liar', ...listen(filter) })
    expect(answer.body, JSON.stringify(filter)).toMatchObject({ error: { code: -32602 } })
  }
  const references = [
    { ref: { type: 'ref/resource', uri: 'open://a' }, Ref: { type: 'ref/resource', uri: 'open://b' } },
    { ref: { type: 'ref/resource', uri: 'open://a', URI: 'open://b' } },
  ]
  for (const params of references) {
    const message = { jsonrpc: '2.0', id: 1, method: 'completion/complete', params: { ...params, argument: {} } }
    expect((await world.post({ token, upstream: 'liar', message })).status).toBe(400)
  }
  expect(liar.of('subscriptions/listen')).toHaveLength(0)
  expect(liar.of('completion/complete')).toHaveLength(0)
  const refused = await world.ledger('&event=call.refused')
  expect(refused).toHaveLength(filters.length + references.length)
})

proves(['SES-2', 'AUT-4'], 'a subscription carries only its own messages, and ends with the grant', async () => {
  const { world, liar, token } = await start()
  liar.answer = (asked) => {
    if (asked.method !== 'subscriptions/listen') return answerHonestly(asked)
    for (const [id, uri] of [
      [asked.id, 'open://a'],
      ['of-somebody-else', 'open://b'],
    ])
      sendEvent(asked, { method: 'notifications/resources/updated', params: { uri, _meta: { [subscriptionId]: id } } })
  }
  const listening = world.post({
    token,
    upstream: 'liar',
    ...listen({ toolsListChanged: true, resourceSubscriptions: ['open://a'] }),
  })
  await sleep(500)
  await world.ana.api('PUT', '/roles/liar-reader', {
    grants: [{ permissions: ['servers:use'], resources: ['liar'] }],
  })
  const { events } = await listening
  expect(events).toEqual([
    {
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri: 'open://a', _meta: { [subscriptionId]: 9 } },
    },
    expect.objectContaining({ id: 9, error: expect.objectContaining({ code: 403 }) }),
  ])
  expect(liar.of('subscriptions/listen')).toHaveLength(1)
  expect(await entriesOf(world, 'event=call.cut', 1)).toMatchObject([{ refusal: 'gateway.not-granted' }])
})
