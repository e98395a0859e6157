import { expect, test } from 'vitest'
import { canonicalResource, isSameResource } from './resource.ts'

test('spellings of one resource are the same', () => {
  const canonical = canonicalResource('http://localhost:8090/servers/notes/mcp') ?? ''
  for (const presented of [
    'http://localhost:8090/servers/notes/mcp',
    'http://localhost:8090/servers/notes/mcp/',
    'HTTP://LOCALHOST:8090/servers/notes/mcp',
    'http://localhost:8090/servers/files/../notes/mcp',
  ]) {
    expect(isSameResource(canonical, presented), presented).toBe(true)
  }
  expect(canonicalResource('https://gate.example:443/mcp')).toBe('https://gate.example/mcp')
})

test('another path, host, port, scheme, case of path or two slashes are another resource', () => {
  for (const presented of [
    'http://localhost:8090/servers/notes',
    'http://localhost:8090/servers/notes/mcp//',
    'http://localhost:8090/servers/notes/mcp/x',
    'http://localhost:8090/servers/Notes/mcp',
    'http://localhost:8091/servers/notes/mcp',
    'http://127.0.0.1:8090/servers/notes/mcp',
    'https://localhost:8090/servers/notes/mcp',
    'http://localhost:8090/servers/notes/mcp?x',
    '',
  ]) {
    expect(isSameResource('http://localhost:8090/servers/notes/mcp', presented), presented).toBe(false)
  }
})

test('a resource has no user, query or fragment and is reached over http', () => {
  const bad = [
    'notes',
    'ftp://host/x',
    'http://ada@host/x',
    'http://:x@host/',
    'http://host/x?',
    'http://host/x#',
    'file:///etc',
    'urn:x',
  ]
  for (const typed of [...bad, `http://host/${'x'.repeat(2048)}`])
    expect(canonicalResource(typed), typed).toBeUndefined()
})
