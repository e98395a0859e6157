import { isRefusal, type Refusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { openPolicy } from '../../../test/world/policy.ts'
import { readSource } from './read-source.ts'

const folderOf = (text: string) => ({ files: [{ path: 'policies/a.cedar', text }], isPruning: false })
const opening = '@id("open")\npermit (principal, action in Castellan::Action::"tools:call", resource);\n'

function got<T>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new Error(`${answer.code} ${answer.says}`)
  return answer
}

eachDatabase('a policy that is tried', (open) => {
  test('a folder and a draft of it are read as the next version, with the same hash', async () => {
    const { policy, root, database } = await openPolicy(await open())
    const draft = got(await policy.changes.drafts.make({ ...folderOf(opening), note: '', by: root }))
    const next = policy.snapshot().version + 1
    const folder = got(await readSource(database.query, folderOf(opening)))
    const drafted = got(await readSource(database.query, { draft: draft.id }))
    for (const { version, hash, compiled } of [folder, drafted]) {
      expect([version, hash]).toEqual([next, draft.hash])
      expect(compiled.rules.map(({ id }) => id)).toContain('a.cedar#open')
    }
  })

  test('one that does not compile is refused with the line of its first problem', async () => {
    const { database } = await openPolicy(await open())
    const text = `${opening}permit (principal, action, resource) when { context.x };`
    expect(await readSource(database.query, folderOf(text))).toMatchObject({
      code: 'policy.replay-invalid',
      says: expect.stringContaining('a.cedar:3: ') as unknown,
    })
    expect(await readSource(database.query, { draft: 'never' })).toMatchObject({ code: 'policy.draft-unknown' })
  })
})
