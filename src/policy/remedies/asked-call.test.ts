import { describe, expect, test } from 'vitest'
import { principalOf } from '../../../test/world/policy.ts'
import { isSaid } from './approve.ts'
import * as limits from './asked-call.ts'
import { boundTo, callPlace, hashOfRules, inOrder, saidPlace } from './asked-call.ts'
import { approverRolesOf } from './standing.ts'

test('the limits are these', () => {
  const { useWithinMs, askWithinMs, consentWithinMs, deniedForMs, goOnWithinMs } = limits
  const minutes = [useWithinMs, askWithinMs, consentWithinMs, deniedForMs, goOnWithinMs].map((ms) => ms / 60_000)
  expect(minutes).toEqual([15, 60, 1_440, 5, 60])
  expect([limits.mostWaiting, limits.mostCallChars, limits.mostSaidChars]).toEqual([10, 32_768, 2_000])
})

test('sealed texts are bound to the row and the person they are of', () => {
  const places = [
    callPlace('a'),
    callPlace('b'),
    saidPlace('a', 'p', ''),
    saidPlace('a', 'p', 'r'),
    saidPlace('a', 'q', 'r'),
    saidPlace('b', 'p', 'r'),
  ]
  expect(new Set(places).size).toBe(places.length)
  expect(places.slice(0, 3)).toEqual([
    'remedy_asks/sealed_call/a',
    'remedy_asks/sealed_call/b',
    'remedy_answers/sealed_text/a/p/',
  ])
})

describe('boundTo', () => {
  const ben = principalOf('ben', 'ben')
  const client = { id: 'c', name: 'c', scopes: [] }
  const oauth = { ...ben, client, credential: { kind: 'oauth-token', id: 't1', expiresAt: 0 } as const }

  test('the tokens of a client change, the client stays; a token of its own is its own client', () => {
    expect(boundTo(oauth)).toBe('["oauth-token","client/c"]')
    expect(boundTo({ ...oauth, credential: { ...oauth.credential, id: 't2' } })).toBe(boundTo(oauth))
    expect(boundTo(ben)).toBe('["session","session of ben"]')
    expect(boundTo({ ...ben, credential: { ...ben.credential, id: 'client/c', kind: 'oauth-token' } })).toBe(
      boundTo(oauth),
    )
  })

  test('another client, another kind of credential and everybody who acts are told apart, in order', () => {
    const acts = (id: string, through: string) => ({ id, name: id, client: through })
    const all = [
      ben,
      oauth,
      { ...oauth, client: { ...client, id: 'd' } },
      { ...oauth, credential: { ...oauth.credential, kind: 'session' as const } },
      { ...oauth, actors: [acts('x', 'y')] },
      { ...oauth, actors: [acts('x', 'z')] },
      { ...oauth, actors: [acts('v', 'y')] },
      { ...oauth, actors: [acts('x', 'y'), acts('v', 'w')] },
      { ...oauth, actors: [acts('v', 'w'), acts('x', 'y')] },
    ]
    expect(new Set(all.map(boundTo)).size).toBe(all.length)
    expect(boundTo({ ...oauth, actors: [] })).toBe(boundTo(oauth))
  })
})

describe('rules', () => {
  const rule = (name: string, fingerprint = name) => ({ rule: name, kind: 'approval' as const, fingerprint })

  test('they are in one order, and hash alike, whoever found them', () => {
    expect(inOrder([rule('c'), rule('a'), rule('b')]).map((one) => one.rule)).toEqual(['a', 'b', 'c'])
    expect(hashOfRules([rule('b'), rule('a')])).toBe(hashOfRules([rule('a'), rule('b')]))
    expect(hashOfRules([rule('a')])).toMatch(/^[\w-]{43}$/)
  })

  test('one more, another name and another text are another hash', () => {
    const all = [[], [rule('a')], [rule('a'), rule('b')], [rule('a', 'new')], [rule('b', 'a')]]
    expect(new Set(all.map(hashOfRules)).size).toBe(all.length)
  })

  test('the roles that may approve are each named once, in order, whichever rule names them', () => {
    const of = (...roles: string[]) => ({ ...rule('x'), approvers: { roles, count: 1 } })
    expect(approverRolesOf([of('b', 'a'), rule('y'), of('c', 'a')])).toEqual(['a', 'b', 'c'])
    expect(approverRolesOf([rule('y')])).toEqual([])
  })
})

test.each([
  ['', false],
  [' \n\t', false],
  ['x', true],
  [' x ', true],
  ['x'.repeat(2_000), true],
  ['x'.repeat(2_001), false],
  ['\u{1f600}', true],
  ['\ud83d', false],
  ['x\ude00', false],
])('what is said is a text of 1 to 2,000 characters: %j', (text, isRight) => {
  expect(isSaid(text)).toBe(isRight)
})
