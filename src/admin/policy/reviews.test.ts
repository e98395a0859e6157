import { expect, test, vi } from 'vitest'
import { openAdminWorld } from '../../../test/world/admin.ts'
import { eachDatabase } from '../../../test/world/databases.ts'
import { tendReviews, watchReviews } from './reviews-watch.ts'

const dayMs = 86_400_000

eachDatabase('reviews by the admin API', (open) => {
  test('come page by page, and a position that is none is refused', async () => {
    const world = await openAdminWorld({ database: await open() })
    const ana = await world.enrolAdmin()
    for (const name of ['ben', 'bea', 'bo']) await ana.api('POST', '/people', { name, roles: [] })
    for (const name of ['ben', 'bea', 'bo']) await ana.api('PUT', `/people/${name}/roles/viewer`, {})
    for (const list of ['access', 'unused']) {
      const all: unknown[] = []
      let after = ''
      let pages = 0
      for (; pages < 20; pages += 1) {
        const { status, body } = await ana.api('GET', `/reviews/${list}?limit=1${after}`)
        expect([list, status]).toEqual([list, 200])
        all.push(...(body['items'] as unknown[]))
        expect(body['evidence']).toMatchObject({ ledgers: [{}] })
        if (body['next'] === null) break
        after = `&after=${body['next'] as string}`
      }
      expect(pages).toBeGreaterThan(4)
      expect(all).toHaveLength(4)
      const bad = [
        'x',
        Buffer.from('{}').toString('base64url'),
        Buffer.from('{"part":"assigned"}').toString('base64url'),
      ]
      for (const position of bad) {
        const refused = await ana.api('GET', `/reviews/${list}?after=${position}`)
        expect([refused.status, refused.body['code']]).toEqual([400, 'admin.invalid-request'])
      }
      for (const limit of ['0', '501', 'many'])
        expect((await ana.api('GET', `/reviews/${list}?limit=${limit}`)).status).toBe(400)
      expect((await ana.api('GET', `/reviews/${list}?limit=500`)).status).toBe(200)
    }
    expect((await ana.api('GET', '/reviews/access?person=nobody')).status).toBe(404)
    expect((await ana.api('GET', '/reviews/access?tool=castellan')).status).toBe(400)
    expect((await ana.api('GET', '/reviews/access?tool=notes')).status).toBe(400)
    const since = '2026-01-01T00:00:00.000Z'
    const { body } = await ana.api('GET', `/reviews/access?since=${since}&server=notes&role=admin`)
    expect(body).toMatchObject({
      evidence: { since },
      items: [
        {
          kind: 'role',
          role: 'admin',
          assigned: { how: 'castellan' },
          grants: [{ permissions: ['*'], stepUp: false, when: null, use: null }],
        },
      ],
    })
  })

  test('campaigns are shown to whoever reads reviews, listed by age, and say whom they ask', async () => {
    const world = await openAdminWorld({ database: await open() })
    const ana = await world.enrolAdmin()
    const alan = await world.join(ana, 'alan', ['analyst'])
    const begin = async (name: string, more: object = {}) => {
      const dueAt = new Date(world.clock.now() + dayMs).toISOString()
      return ana.api('POST', '/reviews/campaigns', { name, dueAt, ...more })
    }
    const first = await begin('first', { people: ['alan'], kinds: ['assignment'] })
    expect(first.status).toBe(201)
    world.clock.advance(10)
    await begin('second', { reviewers: ['ana'], whenDue: 'keep' })
    expect((await begin('third', { reviewers: ['nobody'] })).status).toBe(404)
    expect((await begin('third', { people: ['nobody'] })).status).toBe(404)
    expect((await begin('third', { reviewers: ['alan'] })).body['code']).toBe('review.delegate-invalid')
    const listed = await alan.api('GET', '/reviews/campaigns?limit=1')
    expect(listed.body['items']).toMatchObject([{ name: 'second', whenDue: 'keep', state: 'open', isOverdue: false }])
    const older = await alan.api('GET', `/reviews/campaigns?before=${String(listed.body['next'])}`)
    expect(older.body).toMatchObject({ items: [{ name: 'first' }], next: null })
    const id = String(first.body['id'])
    const { body } = await alan.api('GET', `/reviews/campaigns/${id}/items?state=open`)
    expect(body).toMatchObject({
      items: [{ place: 1, kind: 'assignment', role: 'analyst', state: 'open', revision: 1 }],
      next: null,
    })
    expect((await alan.api('GET', `/reviews/campaigns/${id}/items?state=kept`)).body['items']).toEqual([])
    expect((await alan.api('GET', `/reviews/campaigns/${id}/items?after=1`)).body['items']).toEqual([])
    expect((await alan.api('GET', `/reviews/campaigns/${id}/items?limit=1`)).body['next']).toBe(1)
    const decided = await ana.api('POST', `/reviews/campaigns/${id}/items/1/decide`, { decision: 'keep', revision: 1 })
    expect(decided.body).toMatchObject({ state: 'kept', reason: '', outcome: { byName: 'ana' } })
    const closed = await ana.api('POST', `/reviews/campaigns/${id}/close`, {})
    expect(closed.body).toMatchObject({ state: 'closed', counts: { kept: 1, open: 0 }, draft: null })
    world.clock.advance(dayMs)
    await alan.signIn()
    const [second] = (await alan.api('GET', '/reviews/campaigns?limit=1')).body['items'] as { isOverdue: boolean }[]
    expect(second?.isOverdue).toBe(true)
    expect((await alan.api('GET', `/reviews/campaigns/${id}`)).body['isOverdue']).toBe(false)
  })
})

test('reviews are tended until they are ended, and what breaks is logged', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const counted: number[] = []
  const logged: string[] = []
  const told: unknown[] = []
  const campaign = { name: 'q3' }
  const campaigns = {
    settle: async () => void counted.push(1),
    tellings: async () => [
      { campaign, what: 'asked', people: ['a'] },
      { campaign, what: 'due', people: ['b'] },
    ],
    markTold: async (telling: { what: string }) => void told.push(telling.what),
  }
  let isBroken = false
  const count = async () => {
    if (isBroken) throw new Error('out of reach')
  }
  const notices = { tell: async (...given: unknown[]) => void told.push(given) }
  const rooms = {
    policy: { reviews: { count, campaigns } },
    identity: { notices },
    telemetry: {
      log: {
        error: (...[code, , details]: [string, string, { says: string }]) =>
          void logged.push(`${code} ${details.says}`),
      },
    },
  }
  const end = watchReviews(rooms as never)
  await vi.advanceTimersByTimeAsync(299_999)
  expect(counted).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(1)
  expect(counted).toHaveLength(1)
  expect(told).toEqual([[['a'], 'review-asked', { name: 'q3' }], 'asked', [['b'], 'review-due', { name: 'q3' }], 'due'])
  isBroken = true
  await vi.advanceTimersByTimeAsync(300_000)
  expect(logged).toEqual(['reviews.untended out of reach'])
  end()
  await vi.advanceTimersByTimeAsync(900_000)
  expect([counted.length, logged.length]).toEqual([1, 1])
  vi.useRealTimers()
  await expect(tendReviews(rooms as never)).rejects.toThrow('out of reach')
})
