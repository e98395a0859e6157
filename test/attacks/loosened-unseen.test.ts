/**
 * Mallory has a colleague put a change into the policy folder that looks like tidying up and opens a tool to everybody who reads.
 * Before it is published the calls of the past are tried under it. She also asks for such a replay herself, to read what
 * others called, and keeps one running so that nobody else can try anything.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import type { Person } from '../world/people.ts'

type Line = Record<string, unknown> & { kind: string }

async function replay(world: World, asker: Person, body: object): Promise<{ status: number; lines: Line[] }> {
  const response = await fetch(`${world.adminUrl}/api/v1/policy/replay`, {
    method: 'POST',
    headers: { authorization: `Bearer ${asker.sessionToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  const lines = text.split('\n').filter((line) => line !== '')
  return { status: response.status, lines: lines.map((line) => JSON.parse(line) as Line) }
}

const folderOf = (text: string) => ({ folder: { files: [{ path: 'policies/tidy.cedar', text }] } })
const calls = 'action in Castellan::Action::"tools:call"'
const opening = folderOf(`@id("tidy")\npermit (principal, ${calls}, resource) when { resource.name like "*" };\n`)

proves('CHG-5', 'what a harmless looking change would open is told with who was denied it, newest first', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const token = await ben.mint('books')
  await world.post({ token, message: callTool('echo') })
  for (const text of ['one', 'two']) await world.post({ token, message: callTool('secret_tool', text) })
  const { status, lines } = await replay(world, world.ana, opening)
  expect(status).toBe(200)
  const changes = lines.filter(({ kind }) => kind === 'change')
  expect(changes.map(({ change, target }) => [change, target])).toEqual([
    ['loosened', { upstream: 'books', kind: 'tool', name: 'secret_tool' }],
    ['loosened', { upstream: 'books', kind: 'tool', name: 'secret_tool' }],
  ])
  expect(Number(changes[0]?.['seq'])).toBeGreaterThan(Number(changes[1]?.['seq']))
  expect(changes[0]).toMatchObject({
    person: { name: 'ben' },
    before: { judged: 'denied', rules: ['not-granted'] },
    after: { judged: 'allowed', reasons: [{ rule: 'tidy.cedar#tidy', place: 'tidy.cedar:1' }] },
    inForce: 'denied',
  })
  expect(lines.at(-1)).toMatchObject({
    kind: 'summary',
    ended: 'whole',
    counts: { unchanged: 1, loosened: 2, tightened: 0, untold: 0 },
    totals: { people: [{ name: 'ben', loosened: 2 }], tools: [{ name: 'books/secret_tool', loosened: 2 }] },
  })
  expect(world.books.calls('tools/call')).toHaveLength(1)
  const [entry] = await world.ledger('&event=calls.replayed')
  expect(entry).toMatchObject({ principal: { name: 'ana' }, details: { ended: 'whole', counts: { loosened: 2 } } })
})

proves(
  'CHG-5',
  'arguments that the ledger masks make an answer untold, and none of them leave by a replay',
  async () => {
    const world = await startWorld()
    const ben = await world.join('ben', [reader])
    const token = await ben.mint('books')
    for (const text of ['to ann@example.com', 'plain']) await world.post({ token, message: callTool('echo', text) })
    const closing = folderOf(
      `@id("no-mail")\nforbid (principal, ${calls}, resource)\nwhen { context.texts.hasTag("text") && context.texts.getTag("text") like "*@example.com" };\n`,
    )
    const { lines } = await replay(world, world.ana, closing)
    expect(lines.filter(({ kind }) => kind === 'change').map(({ change }) => change)).toEqual(['untold'])
    expect(lines.at(-1)).toMatchObject({ counts: { untold: 1, unchanged: 1, loosened: 0, tightened: 0 } })
    expect(JSON.stringify(lines)).not.toContain('plain')
    expect(JSON.stringify(lines)).not.toContain('ann')
    expect(JSON.stringify(await world.ledger())).not.toContain('ann@')
  },
)

proves('CHG-5', 'who may not read the ledger tries nothing on it, and is on record', async () => {
  const world = await startWorld()
  const [mallory, vera] = [await world.join('mallory', [reader]), await world.join('vera', ['analyst'])]
  expect((await replay(world, mallory, opening)).status).toBe(403)
  const explained = await mallory.api('GET', '/policy/explain?entry=1')
  const whoCan = await mallory.api('GET', '/policy/who-can?permission=tools:call&target=books/tools/echo')
  expect([explained.status, whoCan.status]).toEqual([403, 403])
  expect((await replay(world, vera, opening)).status).toBe(200)
  expect(await world.ledger('&refusal=admin.not-permitted')).toHaveLength(3)
  expect(await world.ledger('&event=calls.replayed')).toHaveLength(1)
})

proves('CHG-5', 'one replay runs at a time, and one that was given up makes room for the next', async () => {
  const world = await startWorld()
  const token = await (await world.join('ben', [reader])).mint('books')
  await Promise.all(
    Array.from({ length: 40 }, (_, id) => world.post({ token, message: callTool('secret_tool', 'x', id) })),
  )
  const answers = await Promise.all([replay(world, world.ana, opening), replay(world, world.ana, opening)])
  expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 409])
  const given = new AbortController()
  const response = await fetch(`${world.adminUrl}/api/v1/policy/replay`, {
    method: 'POST',
    signal: given.signal,
    headers: { authorization: `Bearer ${world.ana.sessionToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify(opening),
  })
  expect(response.status).toBe(200)
  given.abort()
  await expect.poll(async () => (await replay(world, world.ana, opening)).status).toBe(200)
})
