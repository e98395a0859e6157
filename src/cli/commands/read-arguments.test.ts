import { expect, test } from 'vitest'
import { readSetupLink } from '../setup-link.ts'
import { readSubject } from './hold.ts'
import { readGrant } from './role.ts'
import { readNewUpstream } from './upstream.ts'

test('a grant is permissions on resources', () => {
  expect(readGrant('servers:use, tools:call on notes,notes/tools/*')).toEqual({
    permissions: ['servers:use', 'tools:call'],
    resources: ['notes', 'notes/tools/*'],
  })
})

test.each(['', 'tools:call', 'on notes', 'tools:call on', 'a on b on c', ' on '])('%j is not a grant', (text) => {
  expect(() => readGrant(text)).toThrow(expect.objectContaining({ code: 'cli.bad-grant' }))
})

test('an upstream is a command or a URL, and not both', () => {
  expect(readNewUpstream('a', ['npx', 'x'], { stdio: true })).toEqual({ name: 'a', command: ['npx', 'x'] })
  expect(readNewUpstream('a', [], { url: 'https://x.example/mcp' })).toEqual({
    name: 'a',
    url: 'https://x.example/mcp',
  })
  const wrong = [
    () => readNewUpstream('a', [], {}),
    () => readNewUpstream('a', [], { stdio: true }),
    () => readNewUpstream('a', ['npx'], {}),
    () => readNewUpstream('a', ['npx'], { url: 'https://x.example' }),
    () => readNewUpstream('a', ['npx'], { stdio: true, url: 'https://x.example' }),
  ]
  for (const read of wrong) expect(read).toThrow(expect.objectContaining({ code: 'cli.upstream-kind' }))
  expect(() => readNewUpstream('a', ['npx'], { stdio: true, env: ['=x'] })).toThrow(
    expect.objectContaining({ code: 'cli.bad-environment' }),
  )
})

test('a hold is on exactly one thing', () => {
  expect(readSubject({ person: 'bo' })).toEqual({ kind: 'person', subject: 'bo' })
  expect(readSubject({ tool: 'files/write' })).toEqual({ kind: 'tool', subject: 'files/write' })
  expect(readSubject({ everything: true })).toEqual({ kind: 'everything', subject: '' })
  for (const options of [{}, { person: 'bo', upstream: 'files' }, { upstream: 'files', everything: true }]) {
    expect(() => readSubject(options)).toThrow(expect.objectContaining({ code: 'cli.hold-subject' }))
  }
})

test('a set-up link needs its secret part', () => {
  const token = `cse_${'a'.repeat(43)}`
  expect(readSetupLink(` http://localhost:8091/setup#${token}\n`)).toMatchObject({
    adminUrl: 'http://localhost:8091',
    token,
  })
  for (const text of [
    '',
    'http://localhost:8091/setup',
    'http://localhost:8091/setup#',
    `javascript:x#${token}`,
    token,
  ]) {
    expect(() => readSetupLink(text)).toThrow(expect.objectContaining({ code: 'cli.bad-setup-link' }))
  }
})
