/**
 * Two persons change the policy here. Mallory, an administrator, wants a rule in force that nobody else looked at: she publishes
 * her own draft, comes back with another session, edits somebody else's draft and lets them publish it, changes a role
 * directly, has a draft changed after it was looked at, and uses a draft of somebody whose right was taken.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import type { Person } from '../world/people.ts'

const opening = { path: 'policies/opening.cedar', text: '@id("open")\npermit (principal, action, resource);\n' }
const closing = {
  path: 'policies/closing.cedar',
  text: '@id("no-echo")\nforbid (principal, action in Castellan::Action::"tools:call", resource is Castellan::Tool) when { resource.name == "echo" };\n',
}

async function startGuarded(): Promise<World> {
  const world = await startWorld()
  writeFileSync(join(world.dataDir, 'castellan.yaml'), 'policy:\n  fourEyes: true\n')
  const reloaded = await world.ana.api('POST', '/config/reload', {})
  expect(reloaded.body).toMatchObject({ outcome: 'applied', changed: ['policy.fourEyes'] })
  return world
}

interface Draft {
  readonly id: string
  readonly hash: string
}

async function draftOf(person: Person, files: readonly object[]): Promise<Draft> {
  const { status, body } = await person.api('POST', '/policy/drafts', { files, note: 'please look' })
  expect([status, body['code']]).toEqual([201, undefined])
  return { id: String(body['id']), hash: String(body['hash']) }
}

async function propose(person: Person, { id, hash }: Draft): Promise<void> {
  const { status } = await person.api('POST', `/policy/drafts/${id}/propose`, { hash, acceptWarnings: true })
  expect(status).toBe(200)
}

async function publish(person: Person, { id, hash }: Draft): Promise<unknown> {
  const { status, body } = await person.api('POST', `/policy/drafts/${id}/publish`, { hash, acceptWarnings: true })
  return status < 300 ? body['version'] : body['code']
}

async function versionSeenBy(person: Person): Promise<unknown> {
  return (await person.api('GET', '/policy/snapshot')).body['version']
}

proves(
  'CHG-1',
  'nobody publishes what they made or changed, and no role is changed by one person, whatever the credential',
  async () => {
    const world = await startGuarded()
    const { ana, books } = world
    const mallory = await world.join('mallory', ['admin'])
    const before = await versionSeenBy(ana)
    const draft = await draftOf(mallory, [opening])
    expect(await publish(mallory, draft)).toBe('policy.draft-not-proposed')
    expect(await publish(ana, draft)).toBe('policy.draft-not-proposed')
    await propose(mallory, draft)
    expect(await publish(mallory, draft)).toBe('policy.own-draft')
    await mallory.signIn()
    expect(await publish(mallory, draft)).toBe('policy.own-draft')

    const theirs = await draftOf(ana, [closing])
    const edited = await mallory.api('PUT', `/policy/drafts/${theirs.id}`, { files: [closing, opening] })
    const changed = { id: theirs.id, hash: String(edited.body['hash']) }
    await propose(mallory, changed)
    expect(await publish(ana, theirs)).toBe('policy.draft-changed')
    expect(await publish(ana, changed)).toBe('policy.own-draft')
    expect(await publish(mallory, changed)).toBe('policy.own-draft')

    const grants = [{ permissions: ['tools:call'], resources: ['books/tools/*'] }]
    const alone = [
      await mallory.api('PUT', '/roles/mine', { grants }),
      await mallory.api('DELETE', '/roles/books-reader'),
    ]
    expect(alone.map(({ body }) => body['code'])).toEqual([
      'policy.second-person-needed',
      'policy.second-person-needed',
    ])
    expect(await versionSeenBy(ana)).toBe(before)
    expect(books.calls('tools/call')).toEqual([])
    expect(await world.ledger('&refusal=policy.own-draft')).toHaveLength(4)
    expect(await world.ledger('&refusal=policy.second-person-needed')).toHaveLength(2)
    expect(await publish(ana, draft)).toBe(Number(before) + 1)
    const [published] = (await world.ledger('&event=policy.published')).slice(-1)
    const [author] = await world.ledger('&event=policy.drafted')
    expect(published?.principal?.name).toBe('ana')
    expect(published?.details?.['author']).toBe(author?.principal?.id)
  },
  60_000,
)

proves(
  'CHG-2',
  'a draft of somebody whose right was taken, and one that changed after it was looked at, stay drafts',
  async () => {
    const world = await startGuarded()
    const { ana } = world
    const mallory = await world.join('mallory', ['admin'])
    const bea = await world.join('bea', ['admin'])
    const before = await versionSeenBy(ana)
    const draft = await draftOf(mallory, [opening])
    await propose(mallory, draft)
    expect((await ana.api('DELETE', '/people/mallory/roles/admin')).status).toBe(200)
    expect(await publish(bea, draft)).toBe('policy.author-without-right')
    expect(await publish(mallory, draft)).toBe('admin.not-permitted')
    expect((await ana.api('PUT', '/people/mallory/roles/admin', {})).status).toBe(200)
    expect((await ana.api('POST', '/people/mallory/suspend', {})).status).toBe(200)
    expect(await publish(bea, draft)).toBe('policy.author-without-right')
    expect((await ana.api('POST', '/people/mallory/resume', {})).status).toBe(200)
    const held = { kind: 'person', subject: 'mallory', reason: 'laptop lost' }
    expect((await ana.api('POST', '/holds', held)).status).toBe(201)
    expect(await publish(bea, draft)).toBe('policy.author-without-right')
    expect(await versionSeenBy(ana)).toBe(before)
    expect(await world.ledger('&refusal=policy.author-without-right')).toHaveLength(3)

    const own = await draftOf(bea, [closing])
    await propose(bea, own)
    const token = await ana.mint('books')
    expect(await publish(ana, own)).toBe(Number(before) + 1)
    await world.post({ token, message: callTool('echo') })
    expect(world.books.calls('tools/call')).toEqual([])
    const refused = await world.ledger('&event=call.refused')
    expect(JSON.stringify(refused.at(-1)?.details)).toContain('closing.cedar#no-echo')
  },
  60_000,
)
