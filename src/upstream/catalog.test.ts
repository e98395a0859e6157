import { expect, test } from 'vitest'
import { eachDatabase } from '../../test/world/databases.ts'
import { principalOf } from '../../test/world/policy.ts'
import { addUpstream, granted, openUpstreams } from '../../test/world/servers/upstreams.ts'

const root = principalOf('p-1', 'root', 'admin')
const command = ['node', 'server.js']

eachDatabase('the catalogue', (open, openAgain) => {
  test('what was added is found at once, and told to the ledger without values of the environment', async () => {
    const { upstreams, ledger } = await openUpstreams(await open())
    const draft = { name: 'files', command, environment: { API_KEY: 'hunter2' }, by: root }
    const record = granted(await upstreams.catalog.add(draft))
    expect(record).toEqual({
      name: 'files',
      transport: 'stdio',
      command,
      environment: { API_KEY: 'hunter2' },
      isDemo: false,
    })
    expect(upstreams.catalog.find('files')).toEqual(record)
    expect(upstreams.catalog.list()).toEqual([record])
    const [entry] = await ledger.read({ event: 'upstream.added' })
    expect(entry).toMatchObject({
      outcome: 'succeeded',
      principal: { id: 'p-1' },
      target: { upstream: 'files', kind: 'server' },
    })
    expect(JSON.stringify(entry)).not.toContain('hunter2')
  })

  test('a name is taken once, whoever comes first', async () => {
    const database = await open()
    const one = await openUpstreams(database)
    const other = await openUpstreams(await openAgain(database))
    const results = await Promise.all([
      one.upstreams.catalog.add({ name: 'files', command }),
      other.upstreams.catalog.add({ name: 'files', url: 'https://example.org/mcp' }),
    ])
    expect(results.filter((result) => 'code' in result)).toMatchObject([{ code: 'upstream.name-taken' }])
  })

  test('another process sees it after its next refresh, and sees it go', async () => {
    const database = await open()
    const one = await openUpstreams(database)
    const { upstreams: other } = await openUpstreams(await openAgain(database))
    await addUpstream(one, 'files', { command })
    await expect.poll(async () => (await other.catalog.refresh(), other.catalog.find('files')?.name)).toBe('files')
    granted(await one.upstreams.catalog.remove('files', root))
    await expect.poll(async () => (await other.catalog.refresh(), other.catalog.find('files'))).toBeUndefined()
  })

  test('removing what is not there is refused, and removing it twice too', async () => {
    const world = await openUpstreams(await open())
    expect(await world.upstreams.catalog.remove('files', root)).toMatchObject({ code: 'upstream.unknown', status: 404 })
    await addUpstream(world, 'files', { command })
    granted(await world.upstreams.catalog.remove('files', root))
    expect(await world.upstreams.catalog.remove('files', root)).toMatchObject({ code: 'upstream.unknown' })
  })

  test('approvals go with the upstream they were given for', async () => {
    const world = await openUpstreams(await open())
    const { catalog, pins } = world.upstreams
    await addUpstream(world, 'files', { command })
    await pins.observe('files', [{ name: 'read' }])
    granted(await pins.approve({ upstream: 'files', tools: 'all', by: root }))
    granted(await catalog.remove('files', root))
    await addUpstream(world, 'files', { command: ['node', 'other.js'] })
    expect(pins.list('files')).toEqual([])
  })

  test('without a ledger nothing is added and nothing removed', async () => {
    const world = await openUpstreams(await open())
    await addUpstream(world, 'files', { command })
    await world.ledger.close()
    await expect(world.upstreams.catalog.add({ name: 'late', command })).rejects.toThrow()
    await expect(world.upstreams.catalog.remove('files', root)).rejects.toThrow()
    await world.upstreams.catalog.refresh()
    expect(world.upstreams.catalog.list().map((record) => record.name)).toEqual(['files'])
  })
})
