import { expect, test } from 'vitest'
import { compilePolicy } from '../cedar/compile.ts'
import type { Grant } from '../roles/role.ts'
import { type About, aboutOf, mayBeAbout, mayBeAboutAdmin, mayBeFor, mayMeet, sayFor } from './about.ts'
import { printOf } from './prints.ts'

function rulesOf(text: string, roles: Record<string, readonly Grant[]> = {}) {
  const named = Object.entries(roles).map(([name, grants]) => ({ name, grants }))
  const compiled = compilePolicy({ roles: named, files: text === '' ? [] : [{ name: 'more.cedar', text }] }, 1)
  if (!compiled.isValid) throw new Error(compiled.problems[0]?.says)
  return compiled.policy.rules
}

function ruleOf(text: string) {
  const [rule] = rulesOf(text)
  if (rule === undefined) throw new Error('no rule')
  return rule
}

function granted(...resources: readonly string[]): About {
  const permissions = ['servers:use', 'tools:call', 'resources:read', 'prompts:get', 'people:read'].filter((name) =>
    resources.some((one) =>
      name === 'people:read'
        ? one === 'castellan'
        : name === 'servers:use'
          ? /^\w+$/.test(one) && one !== 'castellan'
          : one.includes('/'),
    ),
  )
  const [rule] = rulesOf('', { own: [{ permissions, resources }] })
  if (rule === undefined) throw new Error('no rule')
  return aboutOf(rule)
}

test('a grant is about what its patterns cover, and about nothing else', () => {
  const tool = (name: string, upstream = 'notes') => ({ upstream, kind: 'tool', name }) as const
  const one = granted('notes/tools/read')
  expect(mayBeAbout(one, tool('read'))).toBe(true)
  expect(mayBeAbout(one, tool('write'))).toBe(false)
  expect(mayBeAbout(one, tool('read', 'files'))).toBe(false)
  expect(mayBeAbout(one, { upstream: 'notes', kind: 'prompt', name: 'read' })).toBe(false)
  expect(mayBeAbout(one, { upstream: 'notes', kind: 'resource', name: 'read' })).toBe(false)
  expect(mayBeAbout(one, { upstream: 'notes' })).toBe(true)
  expect(mayBeAbout(one, { upstream: 'files' })).toBe(false)
  const all = granted('notes/*')
  for (const kind of ['tool', 'prompt', 'resource'] as const) {
    expect(mayBeAbout(all, { upstream: 'notes', kind, name: 'any' })).toBe(true)
    expect(mayBeAbout(all, { upstream: 'files', kind, name: 'any' })).toBe(false)
  }
  expect(mayBeAbout(granted('notes'), tool('read'))).toBe(false)
  expect(mayBeAbout(granted('notes'), { upstream: 'notes' })).toBe(true)
  expect(mayBeAbout(granted('castellan'), { upstream: 'notes' })).toBe(false)
})

test('only what can be about castellan itself is', () => {
  expect(mayBeAboutAdmin(granted('castellan'))).toBe(true)
  expect(mayBeAboutAdmin(granted('notes/tools/*'))).toBe(false)
  const every = aboutOf(ruleOf('permit (principal, action, resource);'))
  expect([mayBeAboutAdmin(every), mayBeAbout(every, { upstream: 'any', kind: 'tool', name: 'any' })]).toEqual([
    true,
    true,
  ])
  expect(
    mayBeAboutAdmin(aboutOf(ruleOf('permit (principal, action, resource) when { resource.upstream == "notes" };'))),
  ).toBe(false)
  expect(
    mayBeAboutAdmin(aboutOf(ruleOf('permit (principal, action, resource) when { resource.name == "notes" };'))),
  ).toBe(false)
  expect(mayBeAboutAdmin(aboutOf(ruleOf('permit (principal, action, resource is Castellan::AdminPlane);')))).toBe(true)
})

test('what stands behind an unless, or cannot be read, leaves nothing out', () => {
  const unless = aboutOf(ruleOf('permit (principal, action, resource) unless { resource.upstream == "notes" };'))
  expect(mayBeAbout(unless, { upstream: 'notes' })).toBe(true)
  const after = aboutOf(
    ruleOf(
      'permit (principal, action, resource is Castellan::Tool) when { resource.upstream == "a" } unless { resource.name == "x" } when { resource.upstream == "b" };',
    ),
  )
  expect(mayBeAbout(after, { upstream: 'a', kind: 'tool', name: 'x' })).toBe(true)
  expect(mayBeAbout(after, { upstream: 'b' })).toBe(false)
  const narrowed = aboutOf(
    ruleOf(
      'permit (principal, action, resource is Castellan::Tool) when { resource.upstream == "a" } when { ["a", "b"].contains(resource.upstream) };',
    ),
  )
  expect([mayBeAbout(narrowed, { upstream: 'a' }), mayBeAbout(narrowed, { upstream: 'b' })]).toEqual([true, false])
  const reversed = aboutOf(
    ruleOf(
      'permit (principal, action, resource is Castellan::Tool) when { ["a", "b"].contains(resource.upstream) } when { resource.upstream == "a" };',
    ),
  )
  expect([mayBeAbout(reversed, { upstream: 'a' }), mayBeAbout(reversed, { upstream: 'b' })]).toEqual([true, false])
})

test('two rules meet where an action, a server, a kind and a name are both', () => {
  const forbid = (text: string) => aboutOf(ruleOf(text))
  const own = granted('notes/tools/read', 'notes/tools/list')
  const calls = 'action in Castellan::Action::"tools:call"'
  expect(mayMeet(forbid(`forbid (principal, ${calls}, resource);`), own)).toBe(true)
  expect(mayMeet(forbid('forbid (principal, action == Castellan::Action::"prompts:get", resource);'), own)).toBe(false)
  expect(mayMeet(forbid(`forbid (principal, ${calls}, resource) when { resource.upstream == "files" };`), own)).toBe(
    false,
  )
  expect(mayMeet(forbid(`forbid (principal, ${calls}, resource) when { resource.name == "list" };`), own)).toBe(true)
  expect(mayMeet(forbid(`forbid (principal, ${calls}, resource) when { resource.name == "write" };`), own)).toBe(false)
  expect(mayMeet(forbid('forbid (principal, action, resource is Castellan::Prompt);'), own)).toBe(false)
})

test('a rule is for whom its head names, and for everybody where it names nobody', () => {
  const bo = { id: 'bo', kind: 'person', roles: ['reader'], groups: ['corp/finance'] } as const
  const robot = { id: 'bo', kind: 'service', roles: [], groups: [] } as const
  const of = (head: string) => ruleOf(`permit (${head}, action, resource);`)
  const cases: readonly [head: string, bo: boolean, robot: boolean, says: string][] = [
    ['principal', true, true, 'everybody'],
    ['principal is Castellan::Person', true, false, 'every person'],
    ['principal is Castellan::ServiceAccount', false, true, 'every serviceaccount'],
    ['principal == Castellan::Person::"bo"', true, false, 'person bo'],
    ['principal == Castellan::Person::"cy"', false, false, 'person cy'],
    ['principal in Castellan::Role::"reader"', true, false, 'role reader'],
    ['principal in Castellan::Role::"corp/finance"', false, false, 'role corp/finance'],
    ['principal in Castellan::Group::"corp/finance"', true, false, 'group corp/finance'],
    ['principal in Castellan::Group::"reader"', false, false, 'group reader'],
    ['principal is Castellan::Person in Castellan::Role::"reader"', true, false, 'role reader'],
    ['principal is Castellan::ServiceAccount in Castellan::Role::"reader"', false, false, 'role reader'],
  ]
  for (const [head, forBo, forRobot, says] of cases) {
    const rule = of(head)
    expect([head, mayBeFor(rule, bo), mayBeFor(rule, robot), sayFor(rule)]).toEqual([head, forBo, forRobot, says])
  }
})

test('the print of a grant is that of what it says, whatever its number', () => {
  const read = { permissions: ['tools:call'], resources: ['notes/tools/read'] }
  const write = { permissions: ['tools:call'], resources: ['notes/tools/write'] }
  const [first, second] = rulesOf('', { own: [read, write] }).map(printOf)
  const [moved] = rulesOf('', { own: [write] }).map(printOf)
  const [other] = rulesOf('', { else: [write] }).map(printOf)
  const [narrower] = rulesOf('', { own: [{ ...write, when: 'true' }] }).map(printOf)
  expect(moved).toBe(second)
  expect(new Set([first, second, other, narrower]).size).toBe(4)
  expect(first).toMatch(/^[\w-]{22}$/)
  const file = (text: string) => printOf(ruleOf(text))
  expect(file('@id("a")\npermit (principal, action, resource);')).not.toBe(
    file('@id("b")\npermit (principal, action, resource);'),
  )
})
