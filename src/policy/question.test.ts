import { expect, test } from 'vitest'
import { somebody, toolOf } from '../../test/world/policies/decisions.ts'
import type { Circumstances } from './circumstances.ts'
import type { Asked } from './explain.ts'
import type { Permission } from './permissions.ts'
import { readQuestion } from './question.ts'

function read(permission: string, target: Asked, circumstances: Circumstances = {}) {
  return readQuestion(somebody('r'), { permission: permission as Permission, target, circumstances, now: 7 })
}

const classification = {
  effect: 'read',
  sensitivity: 'public',
  dataClasses: [],
  owner: '',
  bringsUntrusted: false,
  isOutlet: false,
} as const

test('a call is an action by what its tool does, the worst that is not administration unless somebody said', () => {
  expect(read('tools:call', toolOf('a', 'b'))).toMatchObject({ action: 'tools:call/execute', at: 7 })
  expect(read('tools:call', toolOf('a', 'b'), { classification, at: 9 })).toMatchObject({
    action: 'tools:call/read',
    at: 9,
  })
  expect(read('people:read', 'castellan', { classification })).toMatchObject({ action: 'people:read' })
})

test('an effect class that is none, and a name that is only an action, are unreadable', () => {
  const odd = { ...classification, effect: 'harmless' as 'read' }
  expect(read('tools:call', toolOf('a', 'b'), { classification: odd })).toHaveProperty('unreadable')
  for (const name of ['tools:call/read', 'read', 'administer', '']) {
    expect(read(name, toolOf('a', 'b')), name).toHaveProperty('unreadable')
  }
})

test('only a tool and a prompt are judged by arguments, of which a listing knows none', () => {
  const callArguments = { to: 'x' }
  const resource: Asked = { upstream: 'a', kind: 'resource', name: 'u' }
  const prompt: Asked = { upstream: 'a', kind: 'prompt', name: 'p' }
  expect(read('tools:call', toolOf('a', 'b'), { callArguments })).toMatchObject({ callArguments })
  expect(read('prompts:get', prompt, { callArguments })).toMatchObject({ callArguments })
  expect(read('resources:read', resource, { callArguments })).toMatchObject({ callArguments: {} })
  expect(read('resources:read', resource)).toMatchObject({ callArguments: {} })
  expect(read('tools:call', toolOf('a', 'b'))).toMatchObject({ callArguments: undefined })
})
