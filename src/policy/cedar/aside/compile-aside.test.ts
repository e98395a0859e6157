import { describe, expect, test } from 'vitest'
import { manyRules, mostHeldMs, watchThread } from '../../../../test/world/policies/large-policy.ts'
import { compileAside } from './compile-aside.ts'
import { compilePolicy } from '../compile.ts'
import type { PolicySource } from '../source.ts'

const large = (salt: string): PolicySource => ({
  roles: [{ name: 'r1', grants: [{ permissions: ['tools:call'], resources: ['mail/*'] }] }],
  files: [{ name: 'large.cedar', text: manyRules(1_000, salt) }],
})

describe('a policy that is compiled aside', () => {
  test('is what it would be here, and this thread goes on meanwhile', async () => {
    const source = large('aside')
    const heldMs = watchThread()
    const [aside, again] = await Promise.all([compileAside(source, 7), compileAside(source, 8)])
    expect(heldMs()).toBeLessThan(mostHeldMs)
    expect(aside).toEqual(compilePolicy(source, 7))
    expect(again).toEqual(compilePolicy(source, 8))
  }, 60_000)

  test('says what is wrong with it as here', async () => {
    const { roles, files } = large('wrong')
    const broken = { roles, files: [...files, { name: 'broken.cedar', text: 'permit (principal, action, resource' }] }
    const unfit = {
      roles,
      files: [
        ...files,
        { name: 'unfit.cedar', text: 'permit (principal == Castellan::Nobody::"x", action, resource);' },
      ],
    }
    for (const source of [broken, unfit]) {
      const aside = await compileAside(source, 1)
      expect(aside.isValid).toBe(false)
      expect(aside).toEqual(compilePolicy(source, 1))
    }
    const unchecked = { files, roles: [{ name: 'r', grants: [{ permissions: ['fly'], resources: ['*'] }] }] }
    await expect(compileAside(unchecked, 1)).rejects.toMatchObject({ name: 'Fault', code: 'policy.uncompilable' })
  }, 60_000)

  test('a rule that was found valid once is judged anew where it is written otherwise', async () => {
    const { roles, files } = large('twice')
    expect((await compileAside({ roles, files }, 1)).isValid).toBe(true)
    const text =
      files[0]?.text.replace('context.numbers.getTag("n") < 500 ', 'context.numbers.getTag("n") < "500" ') ?? ''
    const changed = await compileAside({ roles, files: [{ name: 'large.cedar', text }] }, 2)
    expect(changed).toMatchObject({ isValid: false, problems: [{ rule: 'large.cedar#501' }] })
  }, 60_000)
})
