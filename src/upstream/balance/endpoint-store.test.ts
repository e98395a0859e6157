import { expect, test } from 'vitest'
import { isRefusal } from '#kernel'
import { eachDatabase } from '../../../test/world/databases.ts'
import { principalOf } from '../../../test/world/policy.ts'
import { addUpstream, granted, openUpstreams } from '../../../test/world/servers/upstreams.ts'

const by = principalOf('p-1', 'root', 'admin')
const urlOf = (at: number) => `http://127.0.0.1:1/mcp/${at}?key=hunter2`

eachDatabase('endpoints', (open, openAgain) => {
  test('the url an upstream is added with is its first endpoint, and others come after it', async () => {
    const world = await openUpstreams(await open())
    const { catalog, endpoints } = world.upstreams
    await addUpstream(world, 'tickets', { url: urlOf(0) })
    const added = granted(await endpoints.add('tickets', { url: urlOf(1), weight: 7, region: 'eu', by }))
    expect(catalog.find('tickets')).toMatchObject({
      url: urlOf(0),
      endpoints: [
        { url: urlOf(0), weight: 1, id: expect.stringMatching(/^[a-z0-9]{8}$/) },
        { id: added.id, url: urlOf(1), weight: 7, region: 'eu' },
      ],
    })
    const [entry] = await world.ledger.read({ event: 'upstream.endpoint-added' })
    expect(entry).toMatchObject({ principal: { id: 'p-1' }, target: { upstream: 'tickets' }, details: { weight: 7 } })
    expect(JSON.stringify(entry)).not.toContain('hunter2')
  })

  test('sixteen endpoints are taken and a seventeenth is refused, also when two processes add at once', async () => {
    const database = await open()
    const one = await openUpstreams(database)
    const other = await openUpstreams(await openAgain(database))
    await addUpstream(one, 'tickets', { url: urlOf(0) })
    for (let at = 1; at < 15; at += 1) granted(await one.upstreams.endpoints.add('tickets', { url: urlOf(at), by }))
    const last = await Promise.all([
      one.upstreams.endpoints.add('tickets', { url: urlOf(15), by }),
      other.upstreams.endpoints.add('tickets', { url: urlOf(16), by }),
    ])
    expect(last.filter(isRefusal)).toMatchObject([{ code: 'upstream.endpoints-full', status: 409 }])
    await one.upstreams.catalog.refresh()
    await expect
      .poll(
        async () => (await one.upstreams.catalog.refresh(), one.upstreams.catalog.find('tickets')?.endpoints?.length),
      )
      .toBe(16)
  })

  test('an endpoint goes, the last one stays, and with the upstream all go', async () => {
    const world = await openUpstreams(await open())
    const { catalog, endpoints } = world.upstreams
    await addUpstream(world, 'tickets', { url: urlOf(0) })
    const first = catalog.find('tickets')?.endpoints?.[0]?.id ?? ''
    expect(await endpoints.remove('tickets', first, by)).toMatchObject({ code: 'upstream.endpoint-last' })
    granted(await endpoints.add('tickets', { url: urlOf(1), by }))
    granted(await endpoints.remove('tickets', first, by))
    expect(catalog.find('tickets')?.url).toBe(urlOf(1))
    expect(await endpoints.remove('tickets', first, by)).toMatchObject({ code: 'upstream.endpoint-unknown' })
    granted(await catalog.remove('tickets', by))
    await addUpstream(world, 'tickets', { url: urlOf(2) })
    expect(catalog.find('tickets')?.endpoints).toMatchObject([{ url: urlOf(2) }])
  })

  test.each([
    ['tickets', { url: 'ftp://127.0.0.1/' }, 'upstream.url-invalid'],
    ['tickets', { url: 'https://user:word@127.0.0.1/' }, 'upstream.url-invalid'],
    ['tickets', { url: urlOf(0) }, 'upstream.endpoint-taken'],
    ['tickets', { url: urlOf(1), weight: 0 }, 'upstream.weight-invalid'],
    ['tickets', { url: urlOf(1), weight: 101 }, 'upstream.weight-invalid'],
    ['tickets', { url: urlOf(1), weight: 1.5 }, 'upstream.weight-invalid'],
    ['tickets', { url: urlOf(1), region: 'EU' }, 'upstream.region-invalid'],
    ['files', { url: urlOf(1) }, 'upstream.endpoint-of-command'],
    ['nothing', { url: urlOf(1) }, 'upstream.unknown'],
  ])('to %s, %o is refused', async (upstream, draft, code) => {
    const world = await openUpstreams(await open())
    await addUpstream(world, 'tickets', { url: urlOf(0) })
    await addUpstream(world, 'files', { command: ['node'] })
    expect(await world.upstreams.endpoints.add(upstream, { ...draft, by })).toMatchObject({ code })
  })

  test('the smallest and the largest weight are taken', async () => {
    const world = await openUpstreams(await open())
    await addUpstream(world, 'tickets', { url: urlOf(0) })
    for (const weight of [1, 100])
      granted(await world.upstreams.endpoints.add('tickets', { url: urlOf(weight), weight, by }))
    expect(world.upstreams.catalog.find('tickets')?.endpoints).toHaveLength(3)
  })

  test('without a ledger nothing is added and nothing removed', async () => {
    const world = await openUpstreams(await open())
    const { catalog, endpoints } = world.upstreams
    await addUpstream(world, 'tickets', { url: urlOf(0) })
    const added = granted(await endpoints.add('tickets', { url: urlOf(1), by }))
    await world.ledger.close()
    await expect(endpoints.add('tickets', { url: urlOf(2), by })).rejects.toThrow()
    await expect(endpoints.remove('tickets', added.id, by)).rejects.toThrow()
    await catalog.refresh()
    expect(catalog.find('tickets')?.endpoints).toHaveLength(2)
  })
})
