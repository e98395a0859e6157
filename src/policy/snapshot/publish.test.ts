import { createHash } from 'node:crypto'
import { isRefusal } from '#kernel'
import { eachDatabase } from '../../../test/world/databases.ts'
import { describe, expect, test } from 'vitest'
import { compilePolicy } from '../cedar/compile.ts'
import { compilerForm, readDocument, type PolicyContents, type SnapshotDocument, writeDocument } from './document.ts'
import { maxPolicyBytes, publish } from './publish.ts'
import { readHead } from './store.ts'

function documentOf(contents: Partial<PolicyContents>): SnapshotDocument {
  const made = { author: null, publisher: null, note: '', cameFrom: { kind: 'seeded' } } as const
  return { form: 1, roles: [], files: [], tests: [], ...contents, ...made }
}

function textOf(contents: Partial<PolicyContents>): string {
  const compiled = compilePolicy(documentOf(contents), 1)
  if (!compiled.isValid) throw new Error(compiled.problems[0]?.says)
  return compiled.policy.cedar
}

function roleOfBytes(bytes: number) {
  const role = (length: number) => ({
    name: 'wide',
    description: '',
    grants: [{ permissions: ['tools:call'], resources: [`notes/tools/${'x'.repeat(length)}`] }],
    isShipped: false,
  })
  return role(1 + bytes - Buffer.byteLength(textOf({ roles: [role(1)] })))
}

eachDatabase('publish', (open) => {
  test('a policy at the limit of its text is written, one byte more is refused and nothing is written', async () => {
    const { query } = await open()
    const next = (bytes: number) => ({
      version: 1,
      document: documentOf({ roles: [roleOfBytes(bytes)] }),
      createdAt: 1,
    })
    expect(await publish(query, next(maxPolicyBytes + 1))).toMatchObject({ code: 'policy.too-large' })
    expect(await readHead(query)).toBeUndefined()
    const snapshot = await publish(query, next(maxPolicyBytes))
    expect(isRefusal(snapshot)).toBe(false)
    expect(await readHead(query)).toMatchObject({ version: 1 })
  })

  test('a version is written once', async () => {
    const { query } = await open()
    const next = { version: 1, document: documentOf({}), createdAt: 1 }
    await publish(query, next)
    await expect(publish(query, next)).rejects.toThrow()
  })
})

describe('what a snapshot was made from', () => {
  const grants = [
    { permissions: ['tools:call'], resources: ['bank/tools/pay'], stepUp: true as const },
    { permissions: ['servers:use', 'tools:call/read'], resources: ['bank', 'bank/*'] },
  ]
  const contents = {
    roles: [{ name: 'payer', description: 'pays', grants, isShipped: false }],
    files: [{ name: 'bank.cedar', text: '@id("never")\nforbid (principal, action, resource);' }],
  }

  test('the text that is made of it has the number that names its form', () => {
    const hash = createHash('sha256').update(textOf(contents)).digest('hex').slice(0, 16)
    expect([compilerForm, hash]).toEqual([2, 'a31777ca6658f543'])
  })

  test('it is read as it was written, and anything that is not known in it is no document', () => {
    const text = writeDocument(documentOf(contents))
    expect(writeDocument(readDocument(text))).toBe(text)
    const unknown = ['"form":1,"more":1', '"form":2'].map((other) => text.replace('"form":1', other))
    const grant = text.replace('"stepUp":true', '"stepUp":true,"between":"9 and 5"')
    const file = text.replace('"name":"bank.cedar"', '"name":"bank.cedar","mode":1')
    for (const other of [...unknown, grant, file, '[]', '{']) {
      expect(() => readDocument(other)).toThrow('cannot be read')
    }
  })
})
