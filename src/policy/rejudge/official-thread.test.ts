import { expect, test } from 'vitest'
import { somebody } from '../../../test/world/policies/decisions.ts'
import { officialCall } from '../cedar/judge.ts'
import { readQuestion } from '../question.ts'
import { createSurroundings } from '../settings.ts'
import { createOfficialThread } from './official-thread.ts'

const surroundings = createSurroundings({ policy: { timeZone: 'UTC', networks: [] } })
const target = { kind: 'tool', upstream: 'notes', name: 'send' } as const
const question = readQuestion(somebody('reader'), { permission: 'tools:call', target, circumstances: {}, now: 0 })
if (question.unreadable !== undefined) throw new Error(question.unreadable)
const call = officialCall(question, surroundings, new Set())
const rule = (id: string, effect: string) => ({ id, text: `${effect} (principal, action, resource);` })

test('questions are judged by the rules that they came with, also after rules that the engine does not read', async () => {
  const thread = createOfficialThread()
  const open = [rule('open', 'permit')]
  const allowed = { verdict: { isAllowed: true, rules: ['open'], erring: [] } }
  expect(await thread.ask(open, call)).toMatchObject(allowed)
  const odd = [{ id: 'odd', text: 'permit (' }]
  for (let round = 0; round < 2; round += 1) {
    const answer = await thread.ask(odd, call)
    expect(answer.verdict).toBeUndefined()
    expect(answer.problem).not.toBe('')
  }
  const shut = await thread.ask([...open, rule('shut', 'forbid')], call)
  expect(shut).toMatchObject({ verdict: { isAllowed: false, rules: ['shut'] } })
  expect(await thread.ask(open, call)).toMatchObject(allowed)
}, 30_000)
