import { expect, test } from 'vitest'
import { openAdminWorld } from '../../../test/world/admin.ts'

test('a bundle is added, listed and removed by who may write upstreams, and a token is minted for it', async () => {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  await ana.api('POST', '/upstreams', { name: 'books', url: 'http://127.0.0.1:9/mcp' })
  const added = await ana.api('POST', '/bundles', { name: 'work', upstreams: ['books'] })
  expect(added).toMatchObject({ status: 201, body: { name: 'work', upstreams: ['books'] } })
  expect((await ana.api('GET', '/bundles')).body['items']).toMatchObject([{ name: 'work', upstreams: ['books'] }])
  expect((await ana.api('POST', '/bundles', { name: 'work', upstreams: ['books'] })).status).toBe(409)
  expect((await ana.api('POST', '/bundles', { name: 'none', upstreams: ['nobody'] })).status).toBe(404)
  expect((await ana.api('POST', '/bundles', { name: 'none', upstreams: [] })).status).toBeGreaterThanOrEqual(400)
  expect(await ana.mint('/bundles/work/mcp')).not.toBe('')
  expect(await ana.mint('/mcp')).not.toBe('')
  await expect(ana.mint('/bundles/work/other/mcp')).rejects.toThrow('mint refused')
  await expect(ana.mint('/mcp/mcp')).rejects.toThrow('mint refused')
  expect((await ana.api('DELETE', '/bundles/work')).status).toBe(200)
  expect((await ana.api('DELETE', '/bundles/work')).status).toBe(404)
  expect((await ana.api('GET', '/bundles')).body).toEqual({ items: [] })
})
