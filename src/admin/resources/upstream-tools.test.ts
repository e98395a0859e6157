import { expect, test } from 'vitest'
import { openAdminWorld } from '../../../test/world/admin.ts'
import { startRecordingUpstream } from '../../../test/world/servers/recording-upstream.ts'

async function openBooks() {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  const books = await startRecordingUpstream()
  await ana.api('POST', '/upstreams', { name: 'books', url: books.url })
  await ana.api('POST', '/upstreams/books/review', {})
  await ana.api('POST', '/upstreams/books/tools/approve', { tools: 'all' })
  return { ana, books }
}

test('what changed is told field by field, of what waits, of one tool, or of each', async () => {
  const { ana, books } = await openBooks()
  books.tools = books.tools.map((tool) => (tool.name === 'echo' ? { ...tool, description: 'The loud tool.' } : tool))
  await ana.api('POST', '/upstreams/books/review', {})
  const waiting = await ana.api('GET', '/upstreams/books/differences')
  expect(waiting.body['items']).toMatchObject([
    {
      tool: 'echo',
      status: 'changed',
      approvedByName: 'ana',
      approvedDefinition: { description: 'The echo tool.' },
      definition: { description: 'The loud tool.' },
      isComplete: true,
      changes: [
        {
          pointer: '/description',
          kind: 'changed',
          from: 'The echo tool.',
          to: 'The loud tool.',
          words: [
            { kind: 'same', text: 'The' },
            { kind: 'removed', text: ' echo' },
            { kind: 'added', text: ' loud' },
            { kind: 'same', text: ' tool.' },
          ],
        },
      ],
    },
  ])
  const one = await ana.api('GET', '/upstreams/books/differences?tool=slow')
  expect(one.body['items']).toMatchObject([{ tool: 'slow', status: 'approved', changes: [], reasons: [] }])
  expect((await ana.api('GET', '/upstreams/books/differences?all')).body['items']).toHaveLength(4)
  expect((await ana.api('GET', '/upstreams/books/differences?tool=none')).status).toBe(404)
  expect((await ana.api('GET', '/upstreams/none/differences')).status).toBe(404)
})

test('an approval is withdrawn and given back, and both are told with who and why', async () => {
  const { ana } = await openBooks()
  const withdrawn = await ana.api('POST', '/upstreams/books/tools/quarantine', { tools: ['echo'], note: 'case 7' })
  const items = withdrawn.body['items'] as { tool: string }[]
  expect(items.find(({ tool }) => tool === 'echo')).toMatchObject({
    status: 'quarantined',
    quarantine: { by: 'ana', note: 'case 7' },
    reasons: [{ kind: 'quarantined', weight: 'note', key: 'quarantined' }],
  })
  expect((await ana.api('POST', '/upstreams/books/tools/quarantine', { tools: ['none'] })).status).toBe(404)
  const given = await ana.api('POST', '/upstreams/books/tools/approve', { tools: ['echo'] })
  expect((given.body['items'] as { quarantine: unknown }[]).map(({ quarantine }) => quarantine)).toEqual([
    null,
    null,
    null,
    null,
  ])
})

test('a warning is answered by its key, with the tool by name', async () => {
  const { ana, books } = await openBooks()
  books.tools = [...books.tools, { name: 'Echo', description: 'Another.', inputSchema: { type: 'object' } }]
  await ana.api('POST', '/upstreams/books/review', {})
  const approve = (body: Record<string, unknown>) => ana.api('POST', '/upstreams/books/tools/approve', body)
  expect(await approve({ tools: ['Echo'] })).toMatchObject({
    status: 409,
    body: { code: 'upstream.warning-unanswered' },
  })
  const despite = { Echo: ['looks-like:books/echo'] }
  const approved = (await approve({ tools: ['Echo'], despite })).body['items'] as { tool: string }[]
  expect(approved.find(({ tool }) => tool === 'Echo')).toMatchObject({
    status: 'approved',
    approvedDespite: ['looks-like:books/echo'],
  })
})
