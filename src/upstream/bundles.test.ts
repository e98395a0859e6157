import { expect, test } from 'vitest'
import { eachDatabase } from '../../test/world/databases.ts'
import { principalOf } from '../../test/world/policy.ts'
import { addUpstream, granted, openUpstreams, type UpstreamsWorld } from '../../test/world/servers/upstreams.ts'
import { maxBundleMembers } from './bundles.ts'

const root = principalOf('p-1', 'root', 'admin')
const command = ['node', 'server.js']

async function withUpstreams(world: UpstreamsWorld, names: readonly string[]): Promise<void> {
  for (const name of names) await addUpstream(world, name, { command })
}

eachDatabase('bundles', (open, openAgain) => {
  test('what was added is found at once, in its own order, and told to the ledger', async () => {
    const world = await openUpstreams(await open())
    await withUpstreams(world, ['files', 'notes', 'memory'])
    const { bundles } = world.upstreams
    const added = granted(await bundles.add({ name: 'work', upstreams: ['notes', 'files'], by: root }))
    expect(added).toMatchObject({ name: 'work', upstreams: ['notes', 'files'], createdBy: 'p-1' })
    expect(bundles.find('work')).toEqual(added)
    expect(bundles.list()).toEqual([added])
    const [entry] = await world.ledger.read({ event: 'bundle.added' })
    expect(entry).toMatchObject({
      principal: { id: 'p-1' },
      details: { bundle: 'work', upstreams: ['notes', 'files'] },
    })
  })

  test('another process sees it after its next refresh, and sees it go', async () => {
    const database = await open()
    const one = await openUpstreams(database)
    const { upstreams: other } = await openUpstreams(await openAgain(database))
    await withUpstreams(one, ['files'])
    granted(await one.upstreams.bundles.add({ name: 'work', upstreams: ['files'], by: root }))
    const seen = async () => (await other.bundles.refresh(), other.bundles.find('work')?.upstreams)
    await expect.poll(seen).toEqual(['files'])
    granted(await one.upstreams.bundles.remove('work', root))
    await expect.poll(seen).toBeUndefined()
    expect(await one.ledger.read({ event: 'bundle.removed' })).toHaveLength(1)
  })

  test('an upstream that is removed and added again is in no bundle', async () => {
    const world = await openUpstreams(await open())
    await withUpstreams(world, ['files', 'notes'])
    const { bundles, catalog } = world.upstreams
    granted(await bundles.add({ name: 'work', upstreams: ['files', 'notes'], by: root }))
    granted(await catalog.remove('files', root))
    await withUpstreams(world, ['files'])
    await bundles.refresh()
    expect(bundles.find('work')?.upstreams).toEqual(['notes'])
  })

  test('an upstream that is removed while a bundle is made of it is not in it, whichever comes first', async () => {
    const world = await openUpstreams(await open())
    const { bundles, catalog } = world.upstreams
    for (let round = 0; round < 8; round += 1) {
      await withUpstreams(world, ['files'])
      const removing = () => catalog.remove('files', root)
      const adding = () => bundles.add({ name: `work-${round}`, upstreams: ['files'], by: root })
      await Promise.all(round % 2 === 0 ? [removing(), adding()] : [adding(), removing()])
      await withUpstreams(world, ['files'])
      await bundles.refresh()
      expect(bundles.list().flatMap(({ upstreams }) => upstreams)).toEqual([])
      granted(await removing())
    }
  })

  test('a name is taken once, and given back when its bundle is removed', async () => {
    const world = await openUpstreams(await open())
    await withUpstreams(world, ['files', 'notes'])
    const { bundles } = world.upstreams
    granted(await bundles.add({ name: 'work', upstreams: ['files'], by: root }))
    const again = { name: 'work', upstreams: ['notes'], by: root }
    expect(await bundles.add(again)).toMatchObject({ code: 'upstream.bundle-name-taken' })
    granted(await bundles.remove('work', root))
    expect(await bundles.remove('work', root)).toMatchObject({ code: 'upstream.bundle-unknown', status: 404 })
    expect(granted(await bundles.add(again)).upstreams).toEqual(['notes'])
  })

  test('names that are none, members that are none, twice or too many are refused', async () => {
    const world = await openUpstreams(await open())
    const names = Array.from({ length: maxBundleMembers + 1 }, (_, at) => `server-${at}`)
    await withUpstreams(world, names)
    const { bundles } = world.upstreams
    const add = (name: string, upstreams: string[]) => bundles.add({ name, upstreams, by: root })
    for (const name of ['', 'Work', 'a_b', '../x', 'a'.repeat(32)]) {
      expect(await add(name, ['server-0'])).toMatchObject({ code: 'upstream.bundle-name-invalid' })
    }
    for (const members of [[], ['server-0', 'server-0'], names]) {
      expect(await add('work', members)).toMatchObject({ code: 'upstream.bundle-members-invalid' })
    }
    expect(await add('work', ['nobody'])).toMatchObject({ code: 'upstream.unknown' })
    expect(granted(await add('a'.repeat(31), names.slice(0, maxBundleMembers))).upstreams).toHaveLength(64)
  })
})

eachDatabase('a name that is too long beside the names of tools', (open) => {
  test('is refused with the length that it would need, from one character on', async () => {
    const { upstreams } = await openUpstreams(await open())
    const refused = await upstreams.catalog.add({ name: 'a'.repeat(28), command })
    expect(refused).toMatchObject({ code: 'upstream.name-leaves-no-room', status: 422, detail: { needed: 61 } })
    expect(refused).toMatchObject({ says: expect.stringContaining('`61`') as unknown })
    expect(granted(await upstreams.catalog.add({ name: 'a'.repeat(27), command })).name).toHaveLength(27)
  })
})
