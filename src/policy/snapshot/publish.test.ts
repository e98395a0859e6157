import { isRefusal } from '#kernel'
import { eachDatabase } from '../../../test/world/databases.ts'
import { expect, test } from 'vitest'
import { compileRoles } from '../cedar/compile.ts'
import { maxPolicyBytes, publish } from './publish.ts'
import { readHead } from './store.ts'

function roleOfBytes(bytes: number) {
  const role = (length: number) => ({
    name: 'wide',
    description: '',
    grants: [{ permissions: ['tools:call'], resources: [`notes/tools/${'x'.repeat(length)}`] }],
    isShipped: false,
    updatedAt: 1,
  })
  return role(1 + bytes - Buffer.byteLength(compileRoles([role(1)], 1).cedar))
}

eachDatabase('publish', (open) => {
  test('a policy at the limit of its text is written, one byte more is refused and nothing is written', async () => {
    const { query } = await open()
    const next = (bytes: number) => ({ version: 1, roles: [roleOfBytes(bytes)], createdAt: 1, createdBy: null })
    expect(await publish(query, next(maxPolicyBytes + 1))).toMatchObject({ code: 'policy.too-large' })
    expect(await readHead(query)).toBeUndefined()
    const snapshot = await publish(query, next(maxPolicyBytes))
    expect(isRefusal(snapshot)).toBe(false)
    expect(await readHead(query)).toMatchObject({ version: 1 })
  })

  test('a version is written once', async () => {
    const { query } = await open()
    const next = { version: 1, roles: [], createdAt: 1, createdBy: null }
    await publish(query, next)
    await expect(publish(query, next)).rejects.toThrow()
  })
})
