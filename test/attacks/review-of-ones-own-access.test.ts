/**
 * Access is reviewed. Mallory holds the role `books-reader` and may review; Lea is its owner. Mallory wants to keep what she
 * has: she decides about herself, about what Lea was asked, hands her own item to herself and to a friend who may not; she
 * says an old decision again, decides about what changed since, races Lea on another node, and goes on after her right was
 * taken. An auditor, who may read all of it, decides nothing.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { type Answer, callAdmin, type Person } from '../world/people.ts'

interface Item {
  readonly place: number
  readonly revision: number
  readonly state: string
  readonly role: string
  readonly personId: string
  readonly reviewers: readonly string[]
  readonly evidence: { readonly uses: number; readonly seq: number | null }
}

const dayMs = 86_400_000

async function startReview(database: 'sqlite' | 'postgres' = 'sqlite') {
  const world = await startWorld({ database })
  const { ana } = world
  const grantsOf = async () => {
    const { body } = await ana.api('GET', '/roles')
    return (body['items'] as { name: string; grants: object[] }[]).find(({ name }) => name === reader)?.grants
  }
  const seeing = ['reviews:read', 'people:read', 'roles:read', 'audit:read']
  const roles = {
    reviewer: { grants: [{ permissions: [...seeing, 'reviews:write'], resources: ['castellan'] }] },
    auditor: { grants: [{ permissions: seeing, resources: ['castellan'] }] },
    [reader]: { grants: await grantsOf(), owner: 'lea' },
  }
  for (const [name, body] of Object.entries(roles)) {
    expect((await ana.api('PUT', `/roles/${name}`, { description: '', ...body })).status).toBe(200)
  }
  const lea = await world.join('lea', ['reviewer'])
  const mallory = await world.join('mallory', [reader, 'reviewer'])
  const ben = await world.join('ben', [reader])
  const audrey = await world.join('audrey', ['auditor'])
  return { world, ana, lea, mallory, ben, audrey }
}

async function begin(ana: Person, clock: World['clock'], more: object = {}): Promise<string> {
  const dueAt = new Date(clock.now() + dayMs).toISOString()
  const asked = { name: 'q3', kinds: ['assignment'], roles: [reader], dueAt, ...more }
  const { status, body } = await ana.api('POST', '/reviews/campaigns', asked)
  expect([status, body['code']]).toEqual([201, undefined])
  return String(body['id'])
}

async function itemOf(asking: Person, id: string, person: Person): Promise<Item> {
  const found = await asking.api('GET', `/people/${person.name}`)
  const { body } = await asking.api('GET', `/reviews/campaigns/${id}/items`)
  const item = (body['items'] as Item[]).find(({ personId }) => personId === found.body['id'])
  if (item === undefined) throw new Error(`no item of ${person.name}`)
  return item
}

const path = (id: string, { place }: Item, rest: string) => `/reviews/campaigns/${id}/items/${place}/${rest}`

async function decide(by: Person, id: string, item: Item, decision: string): Promise<Answer> {
  return by.api('POST', path(id, item, 'decide'), { decision, revision: item.revision, reason: 'looked' })
}

const told = ({ status, body }: Answer) => [status, body['code'] ?? body['state']]

async function rolesOf(ana: Person, { name }: Person): Promise<unknown> {
  return (await ana.api('GET', `/people/${name}`)).body['roles']
}

proves(
  'REV-1',
  'nobody reviews their own access or what others were asked, and who only reads decides nothing',
  async () => {
    const { world, ana, lea, mallory, ben, audrey } = await startReview()
    const id = await begin(ana, world.clock)
    const own = await itemOf(ana, id, mallory)
    const bens = await itemOf(ana, id, ben)
    expect(told(await decide(mallory, id, own, 'keep'))).toEqual([403, 'review.own-access'])
    expect(told(await decide(mallory, id, bens, 'keep'))).toEqual([403, 'review.not-reviewer'])
    const hand = async (by: Person, item: Item, to: string) =>
      told(await by.api('POST', path(id, item, 'delegate'), { revision: item.revision, reason: '', to }))
    expect(await hand(mallory, own, 'lea')).toEqual([403, 'review.own-access'])
    expect(await hand(mallory, bens, 'mallory')).toEqual([403, 'review.not-reviewer'])
    expect(await hand(lea, own, 'mallory')).toEqual([422, 'review.delegate-invalid'])
    expect(await hand(lea, own, 'ben')).toEqual([422, 'review.delegate-invalid'])
    expect(await hand(lea, own, 'nobody')).toEqual([422, 'review.delegate-invalid'])
    expect(told(await decide(audrey, id, bens, 'keep'))).toEqual([403, 'admin.not-permitted'])
    expect(await hand(audrey, bens, 'audrey')).toEqual([403, 'admin.not-permitted'])
    expect(told(await audrey.api('POST', `/reviews/campaigns/${id}/close`, { leaveOpen: true }))).toEqual([
      403,
      'admin.not-permitted',
    ])
    expect(told(await mallory.api('POST', `/reviews/campaigns/${id}/close`, { leaveOpen: true }))).toEqual([
      403,
      'admin.not-permitted',
    ])
    expect(
      told(await mallory.api('POST', '/reviews/campaigns', { name: 'mine', dueAt: '2099-01-01T00:00:00Z' })),
    ).toEqual([403, 'admin.not-permitted'])
    expect((await audrey.api('GET', `/reviews/campaigns/${id}/items`)).status).toBe(200)
    expect((await ben.api('GET', `/reviews/campaigns/${id}/items`)).status).toBe(403)
    // Lea may look at Mallory's; her right is taken before she does.
    expect((await ana.api('DELETE', '/people/lea/roles/reviewer')).status).toBe(200)
    expect(told(await decide(lea, id, own, 'revoke'))).toEqual([403, 'admin.not-permitted'])
    expect(await world.ledger('&event=review.decided')).toEqual([])
    expect(await world.ledger('&event=review.delegated')).toEqual([])
    expect(await world.ledger('&refusal=review.own-access')).toHaveLength(2)
    expect(await rolesOf(ana, mallory)).toEqual([reader, 'reviewer'])
    expect((await itemOf(ana, id, mallory)).state).toBe('open')
    expect(world.books.calls('tools/call')).toEqual([])
  },
  90_000,
)

for (const database of ['sqlite', 'postgres'] as const) {
  proves(
    'REV-2',
    `a decision counts once and for what was looked at; what it takes is gone at once (${database})`,
    async () => {
      const { world, ana, lea, mallory, ben } = await startReview(database)
      const second = await world.secondNode()
      const token = await ben.mint('books')
      expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
      const id = await begin(ana, world.clock)
      const bens = await itemOf(ana, id, ben)
      const [call] = await world.ledger('&event=call.intended')
      expect(bens.evidence).toMatchObject({ uses: 1, seq: call?.seq })

      // What it is about changes: taken, and given again.
      expect((await ana.api('DELETE', `/people/mallory/roles/${reader}`)).status).toBe(200)
      world.clock.advance(1_000)
      expect((await ana.api('PUT', `/people/mallory/roles/${reader}`, {})).status).toBe(200)
      const changed = await itemOf(ana, id, mallory)
      expect(told(await decide(lea, id, changed, 'keep'))).toEqual([409, 'review.item-stale'])

      expect(told(await decide(lea, id, { ...bens, revision: 7 }, 'keep'))).toEqual([409, 'review.item-changed'])
      const there = (decision: string) =>
        callAdmin(second.adminUrl, {
          method: 'POST',
          path: path(id, bens, 'decide'),
          token: lea.sessionToken(),
          body: { decision, revision: bens.revision, reason: 'there' },
        })
      const answers = await Promise.all([
        decide(lea, id, bens, 'revoke'),
        there('keep'),
        decide(lea, id, bens, 'revoke'),
      ])
      const states = new Set(answers.filter(({ status }) => status === 200).map(({ body }) => body['state']))
      expect(states.size).toBe(1)
      const [state] = [...states]
      expect(
        answers.filter(({ status }) => status === 409).every(({ body }) => body['code'] === 'review.item-decided'),
      ).toBe(true)
      const isKept = state === 'kept'
      expect(await rolesOf(ana, ben)).toEqual(isKept ? [reader] : [])
      // Mallory says it again, as she saw it: nothing comes of it.
      expect(told(await decide(lea, id, bens, isKept ? 'revoke' : 'keep'))).toEqual([409, 'review.item-decided'])
      const again = await world.post({ token, message: callTool('echo') })
      expect('result' in again.body).toBe(isKept)
      expect(world.books.calls('tools/call')).toHaveLength(isKept ? 2 : 1)

      const closed = await ana.api('POST', `/reviews/campaigns/${id}/close`, { leaveOpen: true })
      expect(closed.body).toMatchObject({ state: 'closed', counts: { open: 0, unanswered: 1 } })
      expect(told(await decide(lea, id, changed, 'revoke'))).toEqual([409, 'review.campaign-closed'])
      const [entry] = await world.ledger('&event=review.closed')
      expect(entry?.details?.['sha256']).toBe(closed.body['exportHash'])
    },
    120_000,
  )
}
