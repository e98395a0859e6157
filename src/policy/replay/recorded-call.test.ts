import type { Entry } from '#audit'
import { unclassified } from '#kernel'
import { describe, expect, test } from 'vitest'
import { createPrincipals, readRecorded, type RecordedCall } from './recorded-call.ts'

const time = '2026-03-04T05:06:07.000Z'
const person = { id: 'p1', name: 'ben' }
const target = { upstream: 'books', kind: 'tool', name: 'echo' } as const

type Json = Readonly<Record<string, unknown>>

function entryOf(details: Json, more: Partial<Entry> = {}): Entry {
  const event = 'call.intended'
  return { seq: 7, id: 'e7', time, event, outcome: 'intended', principal: person, target, details, ...more }
}

function read(judged: Json, more: Json = {}, fields: Partial<Entry> = {}): RecordedCall {
  const call = readRecorded(entryOf({ method: 'tools/call', judged, ...more }, fields))
  if (typeof call === 'string') throw new Error(call)
  return call
}

describe('who asked', () => {
  test('with nothing told but the name, it is somebody without roles, factors, groups, claims, client or actors', () => {
    expect(read({}).principal).toStrictEqual({
      ...person,
      roles: [],
      factors: [],
      credential: { kind: 'session', id: 'replayed', expiresAt: 0 },
    })
  })

  test('everything that was told comes back', () => {
    const actors = [{ id: 'a', name: 'agent', client: 'c' }]
    const judged = {
      roles: ['clerk', 'payer'],
      service: true,
      groups: ['dir/staff'],
      claims: { iss: ['https://id'], team: ['a', 'b'] },
      client: { id: 'c1', name: 'Claude', selfRegistered: true },
      factors: ['password', 'totp'],
      factorsAt: 1_700_000_000_000,
    }
    expect(read(judged, { actors }).principal).toEqual({
      ...person,
      roles: ['clerk', 'payer'],
      isService: true,
      groups: ['dir/staff'],
      claims: { iss: ['https://id'], team: ['a', 'b'] },
      client: { id: 'c1', name: 'Claude', scopes: [], isSelfRegistered: true },
      factors: ['password', 'totp'],
      factorsAt: 1_700_000_000_000,
      actors,
      credential: { kind: 'session', id: 'replayed', expiresAt: 0 },
    })
  })

  test.each<[string, Json]>([
    ['roles that are no list', { roles: 'admin' }],
    ['roles of which one is no text', { roles: ['admin', 1] }],
    ['factors that are no list', { factors: 'totp' }],
    ['a service that is not true', { service: 'true' }],
    ['groups of which one is no text', { groups: [['x']] }],
    ['claims that are no object', { claims: 'iss' }],
    ['a client that is no object', { client: 'c1' }],
    ['a moment that is no number', { factorsAt: '1700000000000' }],
  ])('%s give nobody anything', (_what, judged) => {
    expect(read(judged).principal).toEqual(read({}).principal)
  })

  test('a claim that is no list of texts has no text, and a client registered itself only where it says so', () => {
    const { claims, client } = read({ claims: { team: 'a', level: [1] }, client: { id: 1, name: 'x' } }).principal
    expect(claims).toEqual({ team: [], level: [] })
    expect(client).toEqual({ id: '1', name: 'x', scopes: [], isSelfRegistered: false })
  })

  test('actors that are no list are nobody', () => {
    expect(read({}, { actors: 'agent' }).principal).not.toHaveProperty('actors')
  })
})

describe('what was asked', () => {
  test.each([
    ['server', 'servers:use'],
    ['tool', 'tools:call'],
    ['resource', 'resources:read'],
    ['prompt', 'prompts:get'],
  ] as const)('a %s without a permission was asked for with %s', (kind, permission) => {
    const about = { upstream: 'books', kind, name: 'x' }
    expect(read({}, {}, { target: about }).needed).toEqual([
      { permission, target: about, classification: unclassified, wasCalled: false },
    ])
  })

  test('a permission that was told counts, as do labels and that it went on with a call', () => {
    const labels = { sensitivity: 'public', isOutlet: false }
    const { needed } = read({ permission: 'files:read', called: true, labels })
    expect(needed).toEqual([
      {
        permission: 'files:read',
        target,
        classification: { ...unclassified, sensitivity: 'public', isOutlet: false },
        wasCalled: true,
      },
    ])
    expect(read({ called: 'yes' }).needed[0].wasCalled).toBe(false)
  })

  test('what it needed besides comes after it, on the same server, each with labels of its own', () => {
    const also = [
      { kind: 'resource', permission: 'resources:read', name: 'r', labels: { effect: 'read' }, called: true },
      { kind: 'server', permission: 'roots:share' },
    ]
    const [, resource, server] = read({ also, labels: { isOutlet: false } }).needed
    expect(resource).toEqual({
      permission: 'resources:read',
      target: { upstream: 'books', kind: 'resource', name: 'r' },
      classification: { ...unclassified, effect: 'read' },
      wasCalled: true,
    })
    expect(server).toEqual({
      permission: 'roots:share',
      target: { upstream: 'books', kind: 'server' },
      classification: unclassified,
      wasCalled: false,
    })
  })

  test('the labels of the server are those of the thing, unless told', () => {
    const labels = { owner: 'ops' }
    expect(read({ labels }).serverClassification).toEqual({ ...unclassified, owner: 'ops' })
    expect(read({ labels, serverLabels: {} }).serverClassification).toEqual(unclassified)
    expect(read({ labels, serverLabels: { owner: 'dev' } }).serverClassification).toMatchObject({ owner: 'dev' })
    expect(read({}).serverClassification).toEqual(unclassified)
  })

  test('the moment is that of the entry; address, labels, consents and met rules are those that were told', () => {
    const call = read({ flow: ['untrusted'], consents: ['to look'], met: ['f#a'] }, {}, { address: '192.0.2.1' })
    expect(call.circumstances).toEqual({
      at: Date.parse(time),
      callArguments: {},
      flow: new Set(['untrusted']),
      consents: new Set(['to look']),
      address: '192.0.2.1',
    })
    expect(call.met).toEqual(new Set(['f#a']))
    const bare = read({ flow: 'untrusted', met: [1] })
    expect([bare.circumstances.flow, bare.circumstances.consents, bare.met]).toEqual([new Set(), new Set(), new Set()])
    expect(bare.circumstances).not.toHaveProperty('address')
  })

  test.each([
    ['tools/call', { to: 'ops' }],
    ['prompts/get', { to: 'ops' }],
    ['resources/read', undefined],
    ['tools/list', undefined],
    [undefined, undefined],
  ])('the arguments of %s are %j', (method, expected) => {
    const parameters = { arguments: { to: 'ops' } }
    expect(read({}, { method, parameters }).circumstances.callArguments).toEqual(expected)
  })
})

describe('what cannot be told', () => {
  const { principal: _nobody, ...byNobody } = entryOf({ judged: {} })
  const { target: _nothing, ...ofNothing } = entryOf({ judged: {} })
  const { details: _none, ...bare } = entryOf({})

  test.each<[string, Entry]>([
    ['nobody who asked', byNobody],
    ['nothing that was asked for', ofNothing],
    ['no details', bare],
    ['no facts', entryOf({})],
    ['facts that are no object', entryOf({ judged: ['roles'] })],
    ['a permission that there is not', entryOf({ judged: { permission: 'tools:eat' } })],
    ['a permission that is no text', entryOf({ judged: { permission: 7 } })],
    ['something needed besides that is nothing', entryOf({ judged: { also: [null] } })],
    ['a permission that is a list of one', entryOf({ judged: { permission: ['tools:call'] } })],
    ['something needed besides that is no object', entryOf({ judged: { also: ['x'] } })],
    [
      'something needed besides without permission',
      entryOf({
        judged: {
          also: [
            { kind: 'tool', permission: 'tools:call' },
            { kind: 'tool', name: 'x' },
          ],
        },
      }),
    ],
  ])('%s: not recorded', (_what, entry) => {
    expect(readRecorded(entry)).toBe('not-recorded')
  })

  test.each<[string, Json, Json, Partial<Entry>]>([
    ['a role', { roles: ['clerk', '[email]'] }, {}, {}],
    ['the name of a claim', { claims: { '[email]': ['x'] } }, {}, {}],
    ['a claim', { claims: { mail: ['[email]'] } }, {}, {}],
    ['the name of a client', { client: { id: 'c', name: '[email]' } }, {}, {}],
    ['the name of what was called', {}, {}, { target: { ...target, name: '[email]' } }],
    ['who acted', {}, { actors: [{ id: 'a', name: '[email]', client: 'c' }] }, {}],
    ['something needed besides', { also: [{ kind: 'tool', permission: 'tools:call', name: '[email]' }] }, {}, {}],
  ])('where %s is masked, all of it is', (_what, judged, more, fields) => {
    expect(readRecorded(entryOf({ judged, ...more }, fields))).toBe('masked')
  })

  test('masked arguments are unknown by themselves, and a `also` that is no list is nothing', () => {
    const call = read({ also: 'x' }, { parameters: { arguments: { to: '[email]', amount: 1 } } })
    expect(call.needed).toHaveLength(1)
    expect(Object.keys(call.circumstances.callArguments ?? {})).toEqual(['to', 'amount'])
    expect(call.circumstances.callArguments?.['amount']).toBe(1)
  })
})

describe('createPrincipals', () => {
  test('the same facts are the same object, and every single one that differs is another', () => {
    const principals = createPrincipals()
    const facts = {
      roles: ['a'],
      service: true,
      groups: ['g'],
      claims: { c: ['x'] },
      client: { id: 'c', name: 'c' },
      factors: ['totp'],
      factorsAt: 1,
    }
    const actors = [{ id: 'a', name: 'a', client: 'c' }]
    const known = principals(person, facts, actors)
    expect(principals({ ...person }, structuredClone(facts), structuredClone(actors))).toBe(known)
    expect(principals(person, { ...facts, permission: 'files:read', met: ['x'] }, actors)).toBe(known)
    const others = [
      principals({ ...person, id: 'p2' }, facts, actors),
      principals({ ...person, name: 'eve' }, facts, actors),
      principals(person, facts, undefined),
      ...Object.keys(facts).map((name) => principals(person, { ...facts, [name]: undefined }, actors)),
    ]
    expect(new Set([known, ...others]).size).toBe(others.length + 1)
  })

  test('beyond the most that are kept everything is forgotten, and nothing is mistaken', () => {
    const principals = createPrincipals(2)
    const [one, two] = [principals({ ...person, id: '1' }, {}, undefined), principals(person, {}, undefined)]
    expect(principals({ ...person, id: '1' }, {}, undefined)).toBe(one)
    expect(principals({ ...person, id: '3' }, {}, undefined).id).toBe('3')
    const again = principals(person, {}, undefined)
    expect(again).not.toBe(two)
    expect(again).toEqual(two)
  })
})
