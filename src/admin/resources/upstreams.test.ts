import { expect, test } from 'vitest'
import { openAdminWorld } from '../../../test/world/admin.ts'
import { startRecordingUpstream } from '../../../test/world/servers/recording-upstream.ts'

test('an upstream is added, reviewed, approved and removed; its credentials are not shown', async () => {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  const books = await startRecordingUpstream()
  const url = `${books.url}?key=sk-very-secret`
  const added = await ana.api('POST', '/upstreams', { name: 'books', url })
  expect(added.status).toBe(201)
  expect(JSON.stringify((await ana.api('GET', '/upstreams')).body)).not.toContain('sk-very-secret')
  const review = await ana.api('POST', '/upstreams/books/review', {})
  const pins = review.body['items'] as { tool: string; status: string; seenHash: string }[]
  expect(pins.length).toBeGreaterThan(1)
  expect(pins.every((pin) => pin.status === 'new')).toBe(true)
  const [first] = pins
  const tool = first?.tool ?? ''
  const stale = { tools: [tool], hashes: { [tool]: 'f'.repeat(64) } }
  expect((await ana.api('POST', '/upstreams/books/tools/approve', stale)).status).toBe(409)
  const seen = { tools: [tool], hashes: { [tool]: first?.seenHash ?? '' } }
  expect((await ana.api('POST', '/upstreams/books/tools/approve', seen)).status).toBe(200)
  const tools = (await ana.api('GET', '/upstreams/books/tools')).body['items'] as typeof pins
  expect(tools.filter((pin) => pin.status === 'approved').map((pin) => pin.tool)).toEqual([tool])
  expect((await ana.api('DELETE', '/upstreams/books')).status).toBe(200)
  expect((await ana.api('GET', '/upstreams')).body).toEqual({ items: [] })
})
