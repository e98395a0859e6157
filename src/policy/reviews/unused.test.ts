import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openPolicy } from '../../../test/world/policy.ts'
import { about, call, dayMs, put, reading, unused, writing } from '../../../test/world/reviews/used.ts'

eachDatabase('reviews of what is unused', (open) => {
  test('call unused what was in force and seen for the whole period, and nothing else', async () => {
    const world = await openPolicy(await open())
    const { policy, database, clock } = world
    await put(world, 'reader', [reading, writing])
    await put(world, 'server', [{ permissions: ['servers:use'], resources: ['notes'] }])
    await put(world, 'files', [{ permissions: ['files:read'], resources: ['files/resources/*'] }])
    await put(world, 'idle', [{ permissions: ['tools:call'], resources: ['bank/tools/pay'] }])
    await put(world, 'empty', [])
    const bo = await addPerson(database, clock, 'bo', 'reader', 'idle', 'server', 'files')
    await policy.refresh()
    await policy.reviews.count()
    const early = await unused(world, clock.now() - 1)
    expect(new Set(early.map(({ verdict }) => verdict))).toEqual(new Set(['young', 'not-recorded', 'unused']))
    expect(early.filter(({ verdict }) => verdict === 'unused').map(about)).toEqual(['unused role empty'])

    clock.advance(100 * dayMs)
    await addPerson(database, clock, 'cy', 'reader')
    await put(world, 'later', [{ permissions: ['tools:call'], resources: ['bank/tools/pay'] }])
    await policy.refresh()
    await call(world, { by: bo, rules: ['role:reader#1'], effect: 'read' })
    await policy.reviews.count()
    const since = clock.now() - 90 * dayMs
    expect((await unused(world, since)).map(about).toSorted()).toEqual([
      'not-recorded assignment bo files',
      'not-recorded assignment root admin',
      'not-recorded grant role:files#1',
      'not-recorded role files',
      'unused assignment bo idle',
      'unused grant role:idle#1',
      'unused grant role:reader#2',
      'unused role empty',
      'unused role idle',
      'wider-than-used grant role:reader#1',
      'young assignment cy reader',
      'young grant role:later#1',
      'young role later',
    ])
    const longer = await unused(world, clock.now() - 101 * dayMs)
    expect(longer.filter(({ verdict }) => verdict === 'unused').map(about)).toEqual(['unused role empty'])
    const beyond = await policy.reviews.unused(clock.now() - 99 * dayMs, { cursor: undefined, limit: 9 })
    expect(beyond.horizon).toMatchObject({ from: clock.now() - 100 * dayMs, upTo: clock.now() })
  })

  test('forget no last use that lies before the period, and name its entry', async () => {
    const world = await openPolicy(await open())
    const { policy, database, clock } = world
    await put(world, 'reader', [reading])
    const bo = await addPerson(database, clock, 'bo', 'reader')
    await policy.refresh()
    const at = clock.now()
    const { seq } = await call(world, { by: bo, rules: ['role:reader#1'] })
    clock.advance(60 * dayMs)
    await policy.reviews.count()
    const found = await unused(world, clock.now() - 30 * dayMs)
    const bos = found.find(({ person }) => person?.id === bo.id)
    expect(bos).toMatchObject({ verdict: 'unused', role: 'reader', use: { uses: 0, lastAt: at, seq } })
    expect(found.find(({ kind }) => kind === 'grant')).toMatchObject({ verdict: 'unused', use: { lastAt: at, seq } })
    // WHY: a node that was not counted for hours may have seen it used.
    clock.advance(3 * 3_600_000)
    const behind = await unused(world, clock.now() - 30 * dayMs)
    expect(behind.find(({ person }) => person?.id === bo.id)?.verdict).toBe('no-evidence')
  })

  test('suggest what was used, by effect class and name', async () => {
    const world = await openPolicy(await open())
    const { policy, database, clock } = world
    const wide = {
      permissions: ['servers:use', 'tools:call', 'prompts:get', 'resources:read'],
      resources: ['notes', 'notes/*'],
    }
    await put(world, 'reader', [wide])
    await put(world, 'exact', [{ permissions: ['tools:call/read'], resources: ['files/tools/cat'] }])
    const bo = await addPerson(database, clock, 'bo', 'reader', 'exact')
    clock.advance(40 * dayMs)
    await policy.refresh()
    await call(world, { by: bo, rules: ['role:reader#1'], tool: 'list', effect: 'read' })
    await call(world, { by: bo, rules: ['role:reader#1'], tool: 'add', effect: 'write' })
    await call(world, { by: bo, rules: ['role:reader#1'], tool: 'add' })
    await call(world, { by: bo, rules: ['role:reader#1'], tool: 'hello', kind: 'prompt' })
    await call(world, { by: bo, rules: ['role:exact#1'], tool: 'cat', upstream: 'files', effect: 'read' })
    await policy.reviews.count()
    const wider = async () => (await unused(world, clock.now() - 30 * dayMs)).filter(({ kind }) => kind === 'grant')
    expect(await wider()).toMatchObject([
      {
        verdict: 'wider-than-used',
        suggestion: {
          permissions: ['servers:use', 'tools:call/read', 'tools:call/write', 'tools:call/execute', 'prompts:get'],
          resources: ['notes', 'notes/prompts/hello', 'notes/tools/add', 'notes/tools/list'],
        },
      },
    ])
    await call(world, { by: bo, rules: ['role:reader#1'], tool: 'notes://1', kind: 'resource' })
    for (let tool = 0; tool < 19; tool += 1)
      await call(world, { by: bo, rules: ['role:reader#1'], tool: `t${tool}`, effect: 'read' })
    await policy.reviews.count()
    expect((await wider())[0]?.suggestion).toEqual({
      permissions: [
        'servers:use',
        'tools:call/read',
        'tools:call/write',
        'tools:call/execute',
        'resources:read',
        'prompts:get',
      ],
      resources: ['notes', 'notes/prompts/hello', 'notes/resources/*', 'notes/tools/*'],
    })
  })

  test('call nothing unused a moment too early', async () => {
    const world = await openPolicy(await open())
    const { policy, database, clock } = world
    const began = clock.now()
    await policy.reviews.count()
    clock.advance(dayMs)
    const made = clock.now()
    await put(world, 'idle', [writing])
    await addPerson(database, clock, 'bo', 'idle')
    await policy.refresh()
    clock.advance(dayMs)
    await policy.reviews.count()
    const verdicts = async (since: number) => {
      const found = await unused(world, since)
      return found.filter(({ role }) => role === 'idle').map(({ kind, verdict }) => `${kind} ${verdict}`)
    }
    expect(await verdicts(made)).toEqual(['grant unused', 'role unused', 'assignment unused'])
    expect(await verdicts(made - 1)).toEqual(['grant young', 'role young', 'assignment young'])
    await database.query.updateTable('rule_prints').set({ since_at: 1 }).execute()
    await database.query.updateTable('role_grants').set({ granted_at: 1 }).execute()
    expect(await verdicts(began)).toEqual(['grant unused', 'role unused', 'assignment unused'])
    expect(await verdicts(began - 1)).toEqual(['grant no-evidence', 'role no-evidence', 'assignment no-evidence'])
    clock.advance(2 * 3_600_000)
    expect(await verdicts(began)).toContain('grant unused')
    clock.advance(1)
    expect(await verdicts(began)).toContain('grant no-evidence')
    await policy.reviews.count()
    expect(await verdicts(began)).toContain('grant unused')
    await database.query.deleteFrom('rule_prints').execute()
    expect(await verdicts(began)).toEqual(['grant young', 'role young', 'assignment unused'])
    await database.query.deleteFrom('use_cursors').execute()
    expect(await verdicts(began)).toContain('assignment no-evidence')
  })
})
