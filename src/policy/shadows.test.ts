import { expect, test } from 'vitest'
import { createAsking } from '../../test/world/policies/ask-rules.ts'
import { compilePolicy } from './cedar/compile.ts'
import type { Judgement } from './evaluate/compile-rules.ts'
import { createShadows } from './shadows.ts'

const uid = (type: string, id: string) => ({ type: `Castellan::${type}`, id })
const asked = { principal: uid('Person', 'ana'), action: uid('Action', 'tools:call/read'), resource: uid('Tool', 'a') }
const request = createAsking({ entities: [] })({ ...asked, context: { network: 'home' } } as never)
const allowed = { outcome: 'allow', deciding: ['p'], errors: [] } as unknown as Judgement
const ungranted = { outcome: 'deny', deciding: [], errors: [] } as unknown as Judgement
const forbidden = { outcome: 'deny', deciding: ['f'], errors: [] } as unknown as Judgement
const failed = { outcome: 'deny', deciding: [], errors: [{ id: 'f' }] } as unknown as Judgement

function shadowsOf(text: string) {
  const compiled = compilePolicy({ roles: [], files: [{ name: 'a.cedar', text }] }, 1)
  if (!compiled.isValid) throw new Error(JSON.stringify(compiled.problems))
  return createShadows(compiled.policy.rules)
}

const permit = '@id("grant") @shadow permit (principal, action, resource);'
const forbid = '@id("stop") @shadow forbid (principal, action, resource);'
const failing =
  '@id("broken") @shadow forbid (principal, action, resource) when { 9007199254740991 * 9007199254740991 == 0 };'
const other = '@id("else") @shadow forbid (principal == Castellan::Person::"bo", action, resource);'

test('without a rule aside there is nothing to judge', () => {
  expect(shadowsOf('permit (principal, action, resource);')).toBeUndefined()
})

test('a rule aside is told where it would have changed the answer, and only there', () => {
  const judge = shadowsOf(`${permit}\n${forbid}\n${other}\npermit (principal, action, resource);`)
  expect(judge?.(request, allowed)).toEqual([{ rule: 'a.cedar#stop', would: 'deny' }])
  expect(judge?.(request, ungranted)).toEqual([{ rule: 'a.cedar#grant', would: 'allow' }])
  expect(judge?.(request, forbidden)).toEqual([])
  expect(judge?.(request, failed)).toEqual([])
})

test('a rule aside that fails is told as that, beside what the others would have done', () => {
  const judge = shadowsOf(`${permit}\n${forbid}\n${failing}`)
  const found = judge?.(request, allowed).toSorted((one, two) => (one.rule < two.rule ? -1 : 1))
  expect(found).toEqual([
    { rule: 'a.cedar#broken', would: 'fail' },
    { rule: 'a.cedar#stop', would: 'deny' },
  ])
  expect(judge?.(request, ungranted)).toEqual([{ rule: 'a.cedar#grant', would: 'allow' }])
})
