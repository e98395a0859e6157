import { expect, test } from 'vitest'
import { bundleNameOf, isShared, metadataFor, metadataUrlOf, resourceOf, servedAt } from './metadata.ts'

const publicUrl = 'https://gate.example.com'

test.each([
  ['notes', '/servers/notes/mcp'],
  ['/mcp', '/mcp'],
  ['/bundles/work/mcp', '/bundles/work/mcp'],
])('the metadata of %s names the resource exactly as clients reach it', (served, path) => {
  const where = new URL(metadataUrlOf(publicUrl, served)).pathname
  expect(where).toBe(`/.well-known/oauth-protected-resource${path}`)
  expect(metadataFor(publicUrl, where)).toMatchObject({
    resource: `https://gate.example.com${path}`,
    authorization_servers: [publicUrl],
    bearer_methods_supported: ['header'],
  })
  expect(metadataFor(publicUrl, where)?.['resource']).toBe(resourceOf(publicUrl, served))
})

test.each([
  ['/servers/notes/mcp', 'notes', false],
  ['/servers/notes/mcp/', 'notes', false],
  ['/servers/mcp/mcp', 'mcp', false],
  [`/servers/${'a'.repeat(31)}/mcp`, 'a'.repeat(31), false],
  ['/mcp', '/mcp', true],
  ['/mcp/', '/mcp', true],
  ['/bundles/work/mcp', '/bundles/work/mcp', true],
])('%s is the path of %s', (path, served, areSeveral) => {
  expect(servedAt(path)).toBe(served)
  expect(isShared(served)).toBe(areSeveral)
})

test('a bundle is told apart from all servers', () => {
  expect(bundleNameOf('/bundles/work/mcp')).toBe('work')
  expect(bundleNameOf('/mcp')).toBeUndefined()
})

test.each([
  `/servers/${'a'.repeat(32)}/mcp`,
  '/servers/Notes/mcp',
  '/servers/no_tes/mcp',
  '/servers/../mcp',
  '/servers/notes/mcp/x',
  '/servers/notes%2f/mcp',
  '/servers//mcp',
  '//mcp',
  '/MCP',
  '/mcp/x',
  '/bundles//mcp',
  '/bundles/Work/mcp',
  `/bundles/${'a'.repeat(32)}/mcp`,
  '/bundles/work/mcp/x',
  '',
])('%j is the path of nothing, and has no metadata', (path) => {
  expect(servedAt(path)).toBeUndefined()
  expect(metadataFor(publicUrl, `/.well-known/oauth-protected-resource${path}`)).toBeUndefined()
})
