import { type Classification, unclassified } from '#kernel'
import type { Database } from '#platform/database'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { principalOf } from '../../../test/world/policy.ts'
import { addUpstream, granted, openUpstreams } from '../../../test/world/servers/upstreams.ts'

const root = principalOf('p-1', 'root', 'admin')
const read = { name: 'read', description: 'Reads.', annotations: { readOnlyHint: true, openWorldHint: false } }
const write = { name: 'write', description: 'Writes.' }
const harmless: Classification = {
  effect: 'read',
  sensitivity: 'public',
  dataClasses: ['weather'],
  owner: 'platform',
  bringsUntrusted: false,
  isOutlet: false,
}

async function withFiles(database: Database) {
  const world = await openUpstreams(database)
  await addUpstream(world, 'files', { command: ['node', 'server.js'] })
  const { pins, classifications } = world.upstreams
  await pins.observe('files', [read, write])
  const entries = async () => (await world.ledger.read({ limit: 100 })).filter(({ event }) => event.startsWith('tool.'))
  return { ...world, pins, classifications, entries }
}

eachDatabase('classifications', (open, openAgain) => {
  test('what nobody classified counts as the worst, whatever it says of itself', async () => {
    const { pins, classifications } = await withFiles(await open())
    granted(await pins.approve({ upstream: 'files', tools: 'all', by: root }))
    expect(classifications.of('files', 'read')).toEqual(unclassified)
    expect(classifications.of('files')).toEqual(unclassified)
    expect(classifications.of('nowhere', 'read')).toEqual(unclassified)
  })

  test('a classification is given with the approval, is in its entry, and holds on every node', async () => {
    const database = await open()
    const { pins, classifications, entries } = await withFiles(database)
    granted(await pins.approve({ upstream: 'files', tools: ['read'], by: root, classifications: { read: harmless } }))
    expect(classifications.of('files', 'read')).toEqual(harmless)
    expect((await entries()).at(-1)?.details).toMatchObject({ classification: harmless })
    const node = await openUpstreams(await openAgain(database))
    await node.upstreams.catalog.refresh()
    expect(node.upstreams.classifications.of('files', 'read')).toEqual(harmless)
  })

  test('it ends with the definition that it was given for, and is shown to whoever approves the next', async () => {
    const { pins, classifications } = await withFiles(await open())
    granted(await pins.approve({ upstream: 'files', tools: ['read'], by: root, classifications: { read: harmless } }))
    await pins.observe('files', [{ ...read, description: 'Reads more.' }, write])
    granted(await pins.approve({ upstream: 'files', tools: ['read'], by: root }))
    expect(classifications.of('files', 'read')).toEqual(unclassified)
    expect(classifications.given('files', 'read')).toEqual({ classification: harmless, counts: false })
  })

  test('a tool without one takes that of its server; a change is on record with what was before', async () => {
    const { pins, classifications, entries } = await withFiles(await open())
    granted(await pins.approve({ upstream: 'files', tools: 'all', by: root }))
    const confidential = { ...harmless, sensitivity: 'confidential' as const }
    expect(await classifications.set({ upstream: 'files', classification: confidential, by: root })).toBeUndefined()
    expect(classifications.of('files', 'write')).toEqual(confidential)
    expect(
      await classifications.set({ upstream: 'files', tools: ['write'], classification: harmless, by: root }),
    ).toBeUndefined()
    expect(classifications.of('files', 'write')).toEqual(harmless)
    expect(classifications.of('files', 'read')).toEqual(confidential)
    const changes = (await entries()).filter(({ event }) => event === 'tool.classified')
    expect(changes.map(({ details }) => details)).toEqual([
      { before: null, after: confidential },
      { before: null, after: harmless },
    ])
  })

  test.each([
    ['effect', { effect: 'nothing' }],
    ['sensitivity', { sensitivity: 'secret' }],
    ['dataClasses', { dataClasses: ['Personal'] }],
    ['dataClasses', { dataClasses: Array.from({ length: 17 }, (_, at) => `class-${at}`) }],
    ['owner', { owner: 'a\nb' }],
    ['owner', { owner: 'o'.repeat(101) }],
    ['bringsUntrusted', { bringsUntrusted: 'no' }],
    ['isOutlet', { isOutlet: 0 }],
  ])('a wrong %s is refused by name, and nothing is approved', async (field, wrong) => {
    const { pins, classifications } = await withFiles(await open())
    const classification = { ...harmless, ...wrong } as Classification
    const refused = await pins.approve({
      upstream: 'files',
      tools: ['read'],
      by: root,
      classifications: { read: classification },
    })
    expect(refused).toMatchObject({ code: 'upstream.classification-invalid' })
    expect(refused).toMatchObject({ says: expect.stringContaining(`\`${field}\``) as string })
    expect(pins.find('files', 'read')?.status).toBe('new')
    expect(await classifications.set({ upstream: 'files', classification, by: root })).toEqual(refused)
  })

  test('the longest owner and sixteen data classes are taken, sorted and without doubles', async () => {
    const { classifications } = await withFiles(await open())
    const dataClasses = Array.from({ length: 16 }, (_, at) => `class-${String.fromCodePoint(112 - at)}`)
    const classification = { ...harmless, owner: 'o'.repeat(100), dataClasses }
    expect(await classifications.set({ upstream: 'files', classification, by: root })).toBeUndefined()
    expect(classifications.of('files').dataClasses).toEqual(dataClasses.toSorted())
  })

  test('what is not approved, or not there, cannot be classified; a removed server takes its words along', async () => {
    const world = await withFiles(await open())
    const { classifications } = world
    const change = { classification: harmless, by: root }
    expect(await classifications.set({ upstream: 'files', tools: ['read'], ...change })).toMatchObject({
      code: 'upstream.tool-unapproved',
    })
    expect(await classifications.set({ upstream: 'other', ...change })).toMatchObject({ code: 'upstream.unknown' })
    expect(await classifications.set({ upstream: 'files', ...change })).toBeUndefined()
    granted(await world.upstreams.catalog.remove('files', root))
    await addUpstream(world, 'files', { command: ['node', 'server.js'] })
    expect(classifications.of('files')).toEqual(unclassified)
  })

  test('a row that somebody damaged counts as the worst', async () => {
    const { classifications, database, upstreams } = await withFiles(await open())
    await classifications.set({ upstream: 'files', classification: harmless, by: root })
    for (const damaged of ['{', '{"effect":"read"}', 'null']) {
      await database.transaction((rows) =>
        rows.updateTable('classifications').set({ classification: damaged }).execute(),
      )
      await upstreams.catalog.refresh()
      expect(classifications.of('files')).toEqual(unclassified)
    }
  })

  test('a server of which one tool is an outlet is one, by whatever way something is sent to it', async () => {
    const { pins, classifications } = await withFiles(await open())
    granted(await pins.approve({ upstream: 'files', tools: 'all', by: root }))
    const set = (classification: Classification, tools?: string[]) =>
      classifications.set({ upstream: 'files', ...(tools === undefined ? {} : { tools }), classification, by: root })
    expect(await set(harmless)).toBeUndefined()
    expect(classifications.of('files')).toEqual(harmless)
    expect(await set({ ...harmless, isOutlet: true }, ['write'])).toBeUndefined()
    expect(classifications.of('files')).toEqual({ ...harmless, isOutlet: true })
    expect(classifications.of('files', 'read')).toEqual(harmless)
    expect(await set(harmless, ['write'])).toBeUndefined()
    expect(classifications.of('files')).toEqual(harmless)
  })
})
