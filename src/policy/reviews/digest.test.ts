import { defineEvent } from '#audit'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openLedger, openPolicy } from '../../../test/world/policy.ts'
import { access, call, dayMs, put, reading, writing } from '../../../test/world/reviews/used.ts'
import { createPolicy } from '../policy.ts'

eachDatabase('reviews', (open, openAgain) => {
  test('count each entry once, also of two nodes, after a crash, and under another number of the same grant', async () => {
    const world = await openPolicy(await open())
    const { policy, database, clock } = world
    await put(world, 'reader', [writing, reading])
    const bo = await addPerson(database, clock, 'bo', 'reader')
    await policy.refresh()
    for (let at = 0; at < 3; at += 1) await call(world, { by: bo, rules: ['role:reader#2', 'role:reader#2'] })
    await Promise.all([policy.reviews.count(), policy.reviews.count()])
    await policy.reviews.count()
    const other = await openAgain(database)
    const ledger = await openLedger(clock)
    const second = await createPolicy({ database: other, ledger, clock })
    await call({ ledger, policy: second }, { by: bo, rules: ['role:reader#2'] })
    await Promise.all([second.reviews.count(), policy.reviews.count()])
    const usesOf = async () => {
      const [line] = await access(world, { person: bo.id })
      return line?.kind === 'role' ? line.grants.map(({ permit, use }) => [permit.rule, use?.uses]) : []
    }
    expect(await usesOf()).toEqual([
      ['role:reader#1', undefined],
      ['role:reader#2', 4],
    ])
    expect((await policy.reviews.horizon()).ledgers).toHaveLength(2)
    await put(world, 'reader', [reading])
    await policy.refresh()
    expect(await usesOf()).toEqual([['role:reader#1', 4]])
    await call(world, { by: bo, rules: ['role:reader#1'] })
    await policy.reviews.count()
    expect(await usesOf()).toEqual([['role:reader#1', 5]])
    await put(world, 'reader', [{ ...reading, when: 'true' }])
    await policy.refresh()
    await policy.reviews.count()
    expect(await usesOf()).toEqual([['role:reader#1', undefined]])
  })

  test('count a long ledger whole, and go on where they stopped', async () => {
    const world = await openPolicy(await open())
    const { policy, database, clock } = world
    await put(world, 'reader', [reading])
    const bo = await addPerson(database, clock, 'bo', 'reader')
    await policy.refresh()
    const many = async (count: number) => {
      for (let from = 0; from < count; from += 500) {
        const some = Array.from({ length: Math.min(500, count - from) }, () =>
          call(world, { by: bo, rules: ['role:reader#1'] }),
        )
        await Promise.all(some)
      }
    }
    const usesOf = async () => {
      const [line] = await access(world, { person: bo.id })
      return line?.use?.uses
    }
    await many(500)
    await policy.reviews.count()
    expect(await usesOf()).toBe(500)
    await many(5_001)
    await policy.reviews.count()
    expect(await usesOf()).toBe(5_501)
    const { ledgers } = await policy.reviews.horizon()
    expect(ledgers).toMatchObject([{ beginsAt: clock.now(), readAt: clock.now() }])
    const [place] = await database.query.selectFrom('use_cursors').select('seq').where('ledger', '!=', '').execute()
    expect(Number(place?.seq)).toBe(world.ledger.state().size)
  })

  test('count addresses of resources together, tools and prompts by name, and effects as they were', async () => {
    const world = await openPolicy(await open())
    const { policy, database, clock } = world
    await put(world, 'reader', [reading])
    const bo = await addPerson(database, clock, 'bo', 'reader')
    await policy.refresh()
    const rules = ['role:reader#1']
    await call(world, { by: bo, rules, kind: 'resource', tool: 'file:///a' })
    await call(world, { by: bo, rules, kind: 'resource', tool: 'file:///b' })
    await call(world, { by: bo, rules, kind: 'prompt', tool: 'hello', effect: 'read' })
    await call(world, { by: bo, rules, kind: 'server' })
    await call(world, { by: bo, rules, tool: 'list', effect: 'read' })
    await call(world, { by: bo, rules, tool: 'list' })
    await world.ledger.append(defineEvent({ name: 'call.intended', says: 'a call' }), {
      outcome: 'intended',
      details: { rules },
    })
    await policy.reviews.count()
    const rows = await database.query
      .selectFrom('rule_uses')
      .select(['kind', 'name', 'effect', 'uses', 'week', 'first_at'])
      .execute()
    const told = rows.map(({ kind, name, effect, uses }) => `${kind} ${name} ${effect} ${uses}`)
    expect(told.toSorted()).toEqual([
      'prompt hello  1',
      'resource   2',
      'server   1',
      'tool list execute 1',
      'tool list read 1',
    ])
    const weekMs = 7 * dayMs
    expect(rows.map(({ week }) => Number(week))).toEqual(rows.map(() => Math.floor(clock.now() / weekMs) * weekMs))
    expect(rows.every(({ first_at: at }) => Number(at) === clock.now())).toBe(true)
    clock.advance(weekMs)
    await call(world, { by: bo, rules, tool: 'list' })
    await policy.reviews.count()
    const uses = async (since: number) => (await access(world, { person: bo.id, since }))[0]?.use?.uses
    expect([await uses(0), await uses(clock.now())]).toEqual([7, 1])
  })

  test('forget what is older than 400 days, and say so', async () => {
    const world = await openPolicy(await open())
    const { policy, database, clock } = world
    await put(world, 'reader', [reading])
    const bo = await addPerson(database, clock, 'bo', 'reader')
    await policy.refresh()
    await call(world, { by: bo, rules: ['role:reader#1'] })
    clock.advance(400 * dayMs)
    await policy.reviews.count()
    const use = async () => (await access(world, { person: bo.id }))[0]?.use?.uses
    expect(await use()).toBe(1)
    clock.advance(15 * dayMs)
    await policy.reviews.count()
    expect(await use()).toBeUndefined()
    expect((await policy.reviews.horizon()).from).toBe(clock.now() - 400 * dayMs)
  })

  test('take the number of a rule for it where nobody can tell what it said', async () => {
    const world = await openPolicy(await open())
    const { policy, database, clock, root } = world
    await put(world, 'reader', [reading])
    await put(world, 'later', [reading])
    const bo = await addPerson(database, clock, 'bo', 'reader')
    await policy.refresh()
    const version = policy.snapshot().version
    await call(world, { by: bo, rules: ['role:reader#1'] })
    await database.query
      .updateTable('policy_snapshots')
      .set({ hash: 'other' })
      .where('version', '=', version - 1)
      .execute()
    await world.ledger.append(defineEvent({ name: 'call.intended', says: 'a call' }), {
      principal: bo,
      target: { upstream: 'notes', kind: 'tool', name: 'read' },
      outcome: 'intended',
      details: { rules: ['role:reader#1'], snapshot: version - 1 },
    })
    await policy.reviews.count()
    expect((await access(world, { person: bo.id }))[0]?.use?.uses).toBe(2)
    expect((await access(world, { person: root.id }))[0]?.use).toBeUndefined()
    // What comes after a snapshot that nobody can read begins anew.
    const since = await database.query.selectFrom('rule_prints').select('since_version').distinct().execute()
    expect(since.map(({ since_version: at }) => Number(at))).toEqual([version])
  })

  test('wait for a node that is behind, and not for one that is gone', async () => {
    const world = await openPolicy(await open())
    const { policy, database, clock } = world
    const ledger = await openLedger(clock)
    const second = await createPolicy({ database: await openAgain(database), ledger, clock })
    expect((await policy.reviews.horizon()).upTo).toBeUndefined()
    await second.reviews.count()
    const then = clock.now()
    clock.advance(dayMs)
    await policy.reviews.count()
    expect((await policy.reviews.horizon()).upTo).toBe(then)
    clock.advance(1)
    await policy.reviews.count()
    expect((await policy.reviews.horizon()).upTo).toBe(clock.now())
    clock.advance(2 * dayMs)
    expect((await policy.reviews.horizon()).upTo).toBe(clock.now() - 2 * dayMs)
  })
})
