import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import type { Grant } from '../roles/role.ts'
import { suggest } from './suggest.ts'
import type { UsedThing } from './uses.ts'

const at = 1_000_000
const used = (upstream: string, kind: string, name: string, effect = kind === 'tool' ? 'read' : ''): UsedThing => ({
  upstream,
  kind,
  name,
  effect,
})
const wide: Grant = { permissions: ['tools:call'], resources: ['notes/tools/*'] }
const tools = (count: number) =>
  Array.from({ length: count }, (_, place) => used('notes', 'tool', `t${String(place).padStart(4, '0')}`))

eachDatabase('suggestions', (open) => {
  async function stage() {
    const { query } = await open()
    return async (grant: Grant | undefined, things: readonly UsedThing[], { print = 'p', lastAt = at } = {}) => {
      await query.deleteFrom('rule_uses').execute()
      for (let from = 0; from < things.length; from += 100) {
        const some = things.slice(from, from + 100)
        const counted = {
          ledger: 'l',
          person_id: 'x',
          print,
          week: 0,
          uses: 1,
          first_at: 0,
          last_at: lastAt,
          last_seq: 1,
        }
        await query
          .insertInto('rule_uses')
          .values(some.map((thing) => ({ ...counted, ...thing })))
          .execute()
      }
      return suggest(query, { print: 'p', rule: 'role:r#1', ...(grant !== undefined && { grant }) }, at)
    }
  }

  test('name up to twenty tools of a server, and more than that as all of them', async () => {
    const ask = await stage()
    expect((await ask(wide, tools(20)))?.resources).toHaveLength(20)
    expect((await ask(wide, tools(21)))?.resources).toEqual(['notes/tools/*'])
    expect((await ask(wide, tools(500)))?.permissions).toEqual(['tools:call/read'])
    expect(await ask(wide, tools(501))).toBeUndefined()
    expect((await ask(wide, [used('notes', 'tool', 'odd*name')]))?.resources).toEqual(['notes/tools/*'])
    expect(await ask(undefined, tools(1))).toBeUndefined()
    expect(await ask(wide, [])).toBeUndefined()
  })

  test('count what was used since, by the rule or by its number, and nothing of other rules', async () => {
    const ask = await stage()
    const one = tools(1)
    const enough = { permissions: ['tools:call/read'], resources: ['notes/tools/t0000'] }
    expect(await ask(wide, one, { lastAt: at })).toEqual(enough)
    expect(await ask(wide, one, { lastAt: at - 1 })).toBeUndefined()
    expect(await ask(wide, one, { print: 'id:role:r#1' })).toEqual(enough)
    expect(await ask(wide, one, { print: 'q' })).toBeUndefined()
  })

  test('give the effect classes that were needed, in their order, and only what was granted', async () => {
    const ask = await stage()
    const things = [
      used('notes', 'tool', 'a', 'write'),
      used('notes', 'tool', 'b', 'discover'),
      used('notes', 'tool', 'a', 'read'),
    ]
    expect(await ask(wide, things)).toEqual({
      permissions: ['tools:call/discover', 'tools:call/read', 'tools:call/write'],
      resources: ['notes/tools/a', 'notes/tools/b'],
    })
    const reading = { permissions: ['tools:call/read'], resources: ['notes/tools/*'] }
    expect((await ask(reading, things))?.permissions).toEqual(['tools:call/read'])
    expect(await ask({ permissions: ['tools:call/query'], resources: ['notes/tools/*'] }, things)).toBeUndefined()
  })

  test('leave what is not recorded by rule, and suggest nothing that is the same', async () => {
    const ask = await stage()
    const every: Grant = { permissions: ['*'], resources: ['*'] }
    const things = [
      used('a', 'tool', 'x'),
      used('b', 'prompt', 'hello'),
      used('c', 'resource', ''),
      used('a', 'server', ''),
    ]
    expect(await ask(every, things)).toEqual({
      permissions: ['servers:use', 'files:read', 'roots:share', 'tools:call/read', 'resources:read', 'prompts:get'],
      resources: ['a', 'a/tools/x', 'b', 'b/prompts/hello', 'c', 'c/resources/*'],
    })
    const exact = { permissions: ['tools:call/read'], resources: ['a/tools/y', 'a/tools/x'] }
    expect(await ask(exact, [used('a', 'tool', 'x'), used('a', 'tool', 'y')])).toBeUndefined()
    const one: Grant = {
      permissions: ['resources:read'],
      resources: ['c/resources/file:///a', 'c/resources/file:///b'],
    }
    expect(await ask(one, [used('c', 'resource', '')])).toBeUndefined()
    expect(await ask({ permissions: ['servers:use'], resources: ['a'] }, [used('a', 'server', '')])).toBeUndefined()
  })
})
