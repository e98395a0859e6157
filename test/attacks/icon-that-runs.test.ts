/**
 * A server gives its prompts, resources and templates icons that run a script, read a file or carry credentials when a
 * client draws them. Nobody approves these one by one, so the icons must not get there.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { modern } from '../world/messages.ts'
import { putBehind } from '../world/servers/peers.ts'
import { listOf, startTellingServer, toolNamed } from '../world/servers/telling-server.ts'

const fine = { src: 'https://x.example/i.png' }
const sources = [
  'javascript:alert(document.domain)',
  'file:///etc/passwd',
  'data:text/html,<script>',
  'https://a:b@x.example',
]
const lists = {
  'prompts/list': ['prompts', 'name', 'name'],
  'resources/list': ['resources', 'uri', 'test://'],
  'resources/templates/list': ['resourceTemplates', 'uriTemplate', 'test://{id}/'],
} as const

proves('PIN-5', 'an icon that must not be drawn is listed with nothing, alone or beside other servers', async () => {
  const world = await startWorld()
  const hostile = await startTellingServer(({ method }) => {
    if (method === 'tools/list') return listOf('tools', [toolNamed('plain')])
    if (!Object.hasOwn(lists, method)) return undefined
    const [member, key, start] = lists[method as keyof typeof lists]
    const all = [fine, ...sources.map((src) => ({ src }))]
    return listOf(
      member,
      all.map((icon, index) => ({ [key]: `${start}${index}`, name: `n${index}`, icons: [fine, icon] })),
    )
  })
  await putBehind(world.ana, 'mallory', { url: hostile.url })
  for (const [method, [member]] of Object.entries(lists)) {
    for (const where of ['mallory', '/mcp']) {
      const token = await world.ana.mint(where)
      const message = { jsonrpc: '2.0' as const, id: 1, method, params: {} }
      const { body } = await world.post({ token, upstream: where, ...modern(message) })
      const items = (body['result'] as Record<string, { name: string; icons?: unknown[] }[]>)[member] ?? []
      const ours = items.filter(({ icons }) => icons !== undefined)
      expect(
        ours.map(({ icons }) => icons?.length),
        `${method} at ${where}`,
      ).toEqual([2, 0, 0, 0, 0])
      expect(JSON.stringify(body)).not.toMatch(/javascript:|file:|text\/html|a:b@/)
      expect(JSON.stringify(body)).toContain(fine.src)
    }
  }
  expect((await world.ledger('&event=call.completed')).length).toBeGreaterThan(0)
})
