import { expect, test } from 'vitest'
import { metadataFor, metadataUrlOf, resourceOf, serverNameOf } from './metadata.ts'

const publicUrl = 'https://gate.example.com'

test('the metadata names the resource exactly as clients reach it', () => {
  const path = new URL(metadataUrlOf(publicUrl, 'notes')).pathname
  expect(path).toBe('/.well-known/oauth-protected-resource/servers/notes/mcp')
  expect(metadataFor(publicUrl, path)).toMatchObject({
    resource: 'https://gate.example.com/servers/notes/mcp',
    authorization_servers: [publicUrl],
    bearer_methods_supported: ['header'],
  })
  expect(metadataFor(publicUrl, path)?.['resource']).toBe(resourceOf(publicUrl, 'notes'))
})

test.each([
  ['/servers/notes/mcp', 'notes'],
  ['/servers/notes/mcp/', 'notes'],
  [`/servers/${'a'.repeat(31)}/mcp`, 'a'.repeat(31)],
])('%s is the path of a server', (path, name) => {
  expect(serverNameOf(path)).toBe(name)
})

test.each([
  `/servers/${'a'.repeat(32)}/mcp`,
  '/servers/Notes/mcp',
  '/servers/no_tes/mcp',
  '/servers/../mcp',
  '/servers/notes/mcp/x',
  '/servers/notes%2f/mcp',
  '/servers//mcp',
  '/mcp',
  '',
])('%j is not the path of a server, and has no metadata', (path) => {
  expect(serverNameOf(path)).toBeUndefined()
  expect(metadataFor(publicUrl, `/.well-known/oauth-protected-resource${path}`)).toBeUndefined()
})
