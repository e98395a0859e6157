import { expect, test } from 'vitest'
import { startWorld } from '../../../test/world/castellan.ts'
import { modern } from '../../../test/world/messages.ts'
import { putBehind } from '../../../test/world/servers/peers.ts'
import { listOf, startTellingServer, toolNamed } from '../../../test/world/servers/telling-server.ts'

test('servers tell together what any of them can do, and each its own instructions, within bounds', async () => {
  const world = await startWorld()
  const talkers = ['one', 'two'].map((name) => ({ name, instructions: `${name} `.repeat(2_000) }))
  for (const { name, instructions } of talkers) {
    const extensions = {
      'io.modelcontextprotocol/tasks': {},
      'io.modelcontextprotocol/ui': { of: name },
      [`example.com/${name}`]: {},
    }
    const capabilities = { tools: {}, completions: {}, experimental: { x: {} }, extensions }
    const result = { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities, instructions, ttlMs: 9 }
    const server = await startTellingServer(({ method }) => {
      if (method === 'tools/list') return listOf('tools', [toolNamed('work')])
      return method === 'server/discover' ? { result } : undefined
    })
    await putBehind(world.ana, name, { url: server.url })
  }
  const token = await world.ana.mint('/mcp')
  const asked = modern({ jsonrpc: '2.0', id: 1, method: 'server/discover' })
  const { body } = await world.post({ token, upstream: '/mcp', ...asked })
  const result = body['result'] as { capabilities: object; instructions: string; supportedVersions: string[] }
  expect(result).toMatchObject({ ttlMs: 0, cacheScope: 'private' })
  expect(result.supportedVersions).toContain('2026-07-28')
  expect(result.capabilities).toEqual({
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true },
    completions: {},
    extensions: { 'io.modelcontextprotocol/ui': { of: 'one' }, 'example.com/one': {}, 'example.com/two': {} },
  })
  const [one = '', two = ''] = result.instructions.split('\n\n# two\n\n')
  expect(one.slice(0, 7)).toBe('# one\n\n')
  expect(one).toHaveLength('# one\n\n'.length + 2_001)
  expect(two).toHaveLength(2_001)
})
