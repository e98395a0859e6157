import { expect, test } from 'vitest'
import { compilePolicy } from '../cedar/compile.ts'
import { askedAt, decideBy } from '../../../test/world/policies/decisions.ts'
import { prepareSnapshot } from '../snapshot/load.ts'
import { shippedRoles } from '../roles/shipped.ts'
import type { World } from './finding.ts'
import { lint } from './lint.ts'

const world: World = {
  upstreams: new Set(['bank']),
  tools: new Map([['bank/pay', undefined]]),
  groups: new Set(['finance']),
  networks: new Set(['office']),
  holders: new Map([['payer', 1]]),
  changers: [],
}
const payer = {
  name: 'payer',
  description: '',
  grants: [{ permissions: ['tools:call'], resources: ['bank/tools/pay'] }],
  isShipped: false,
}
const person = (name: string, ...roles: string[]) => ({ id: name, name, roles })

/** What lint says of one policy file, and what to do. */
function told(text: string, changers: World['changers'] = [], roles = [...shippedRoles, payer]) {
  const source = { roles, files: [{ name: 'house.cedar', text }] }
  const compiled = compilePolicy(source, 1)
  if (!compiled.isValid) throw new Error(JSON.stringify(compiled.problems))
  const { policy } = compiled
  const decide = decideBy(prepareSnapshot({ version: 1, hash: '', cedar: policy.cedar }, policy))
  const matter = { rules: policy.rules, source, world: { ...world, changers }, decide, nowMs: askedAt }
  return lint(matter).map(({ says, hint }) => [says, hint])
}

const writing = 'action in Castellan::Action::"write", resource'
const making = 'make the role in the same folder, or correct the name'

test('a finding says what is wrong, and what to do', () => {
  expect(told(`forbid (principal in Castellan::Role::"pair", ${writing});`)).toEqual([
    ['there is no role `pair`', making],
  ])
  expect(told(`forbid (principal in Castellan::Group::"fin", ${writing});`)).toEqual([
    [
      'no directory has told of a group `fin`',
      'correct the name, or accept this where groups come with the tokens of an issuer',
    ],
  ])
  expect(told(`forbid (principal, ${writing} is Castellan::Tool) when { resource.upstream == "bnk" };`)).toEqual([
    ['no upstream `bnk` is registered', 'correct the name, or register it with `castellan upstream add`'],
  ])
  const approval = (approvers: string, count = 1) =>
    `@id("r") @remedy("approval") @approvers("${approvers}") @count("${count}")\nforbid (principal, ${writing});`
  expect(told(approval('clerk, teller'))).toEqual([
    ['approvers are to have the role `clerk`, `teller`, which is not there', making],
  ])
  const more = 'give the role to more people; nobody approves their own call'
  expect(told(approval('payer', 2))).toEqual([['2 have to approve, and 1 could', more]])
  expect(told(approval('viewer,analyst'))).toEqual([
    ['nobody who is active has the role `viewer`, `analyst`, so nobody can approve', more],
  ])
})

test('who is locked out is named, up to a few, by the rule or by what roles grant', () => {
  const hint =
    'name the actions that the rule is about, or whom it is for; the admin plane knows no address and no flow'
  const payers = (count: number) => Array.from({ length: count }, (_, at) => person(`p${at}`, 'admin', 'payer'))
  const rule = '@id("r") forbid (principal, action, resource) when { principal in Castellan::Role::"payer" };'
  const some = (count: number) => told(rule, [person('root', 'admin'), ...payers(count)])
  expect(some(2)).toEqual([['of 3 who may change the policy, 2 could not any more: p0, p1', hint]])
  const [[many = ''] = []] = some(20)
  expect(many).toMatch(/^of 21 who may change the policy, 20 could not any more: p0, p1, .* and \d+ more$/)
  const named = many.split(': ')[1]?.split(' and ')[0]?.split(', ') ?? []
  expect(many).toContain(` and ${20 - named.length} more`)
  expect(told(rule, payers(1))).toEqual([
    ['nobody could change the policy again: not p0, at any hour of the coming week', hint],
  ])
  expect(told('forbid (principal, action in Castellan::Action::"administer", resource);')).toContainEqual([
    'nobody could change the policy again: it forbids `roles:write` to everybody',
    'leave the administrative actions out, or name whom it is for',
  ])
  const only = `forbid (principal, ${writing} is Castellan::Tool);`
  expect(told(only, [], [...shippedRoles])).toEqual([
    [
      'besides the shipped roles nothing permits anything: these rules only deny',
      'add a role or a permit, or accept this where administrators alone call tools',
    ],
  ])
  expect(told('', [], [...shippedRoles])).toEqual([])
})
