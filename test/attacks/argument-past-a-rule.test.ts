/**
 * A rule lets mail go to the house alone. Mallory wants to write to Eve: she gives the address in another type than the
 * rule reads, beside a name that a careless server takes for it, deeper, twice, or not at all; in a batch, and where several
 * servers answer. Eve, who may not use the server, asks it what its rules are.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { initialize, listTools } from '../world/messages.ts'

const rules = `@id("house") @says("mail goes to the house alone")
forbid (principal, action in Castellan::Action::"tools:call", resource is Castellan::Tool)
when { resource.upstream == "books" && resource.name == "echo" }
unless { context.texts.hasTag("text") && context.texts.getTag("text") like "*@house" };
`
const quietRules = rules.replace('@says("mail goes to the house alone")', '@quiet')

async function start(text: string) {
  const world = await startWorld()
  const mallory = await world.join('mallory', [reader])
  const files = [{ path: 'policies/mail.cedar', text }]
  const { body } = await world.ana.api('POST', '/policy/drafts', { files })
  const asked = { hash: body['hash'], acceptWarnings: true }
  const published = await world.ana.api('POST', `/policy/drafts/${String(body['id'])}/publish`, asked)
  expect(published.status, JSON.stringify(published.body)).toBe(200)
  return { world, mallory, token: await mallory.mint('books') }
}

function call(given: unknown, id: number | string = 1): Record<string, unknown> {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo', arguments: given } }
}

const attempts: unknown[] = [
  { text: 'eve@else' },
  { text: ['eve@else'] },
  { text: ['ada@house', 'eve@else'] },
  { text: { address: 'eve@else' } },
  { text: null },
  { text: 7 },
  { Text: 'eve@else' },
  { text: 'ada@house', Text: 'eve@else' },
  { text: 'ada@house', 'te\u00adxt': 'eve@else' },
  { to: { text: 'ada@house' } },
  {},
  undefined,
  [],
  'ada@house',
]

proves(
  ['POL-5', 'POL-6', 'POL-1'],
  'whatever shape it is given, no call passes that the rule did not read as a permitted one',
  async () => {
    const { world, mallory, token } = await start(rules)
    const passed = await world.post({ token, message: call({ text: 'ada@house' }) })
    expect(passed.status).toBe(200)
    const before = world.books.calls('tools/call').length
    for (const [index, given] of attempts.entries()) {
      const answer = await world.post({ token, message: call(given, index) })
      expect(JSON.stringify([answer.body, answer.events]), JSON.stringify(given)).toContain('error')
    }
    const joint = await mallory.mint('/mcp')
    await world.post({ token: joint, upstream: '/mcp', message: initialize })
    for (const given of attempts.slice(0, 4)) {
      const message = { ...call(given), params: { name: 'books__echo', arguments: given } }
      await world.post({ token: joint, upstream: '/mcp', message })
    }
    expect(world.books.calls('tools/call')).toHaveLength(before)
    const told = await world.post({ token, message: call({ text: 'eve@else' }, 'told') })
    const text = JSON.stringify([told.body, told.events])
    expect(text).toContain('gateway.ruled-out')
    expect(text).toContain('mail.cedar#house')
    expect(text).toContain('mail goes to the house alone')
    expect(text).not.toContain('like')
    const [entry] = await world.ledger('&refusal=gateway.ruled-out')
    expect(entry?.details).toMatchObject({ reasons: [{ rule: 'mail.cedar#house', place: 'mail.cedar:1' }] })
    expect(JSON.stringify(entry?.details?.['reasons'])).toContain('eve@else')
    expect((await world.ledger('&refusal=gateway.unjudged')).length).toBeGreaterThan(5)
  },
  90_000,
)

proves(
  ['POL-6', 'POL-2'],
  'a list shows what some arguments allow, a quiet rule is told to nobody, and a stranger hears of no rule',
  async () => {
    const { world, token } = await start(quietRules)
    const listed = await world.post({ token, message: listTools })
    expect(JSON.stringify([listed.body, listed.events])).toContain('"echo"')
    const denied = await world.post({ token, message: call({ text: 'eve@else' }) })
    const quiet = JSON.stringify([denied.body, denied.events])
    expect(quiet).toContain('gateway.not-granted')
    expect(quiet).not.toContain('mail.cedar')
    const eve = await world.join('eve', [])
    const stranger = await world.post({ token: await eve.mint('books'), message: call({ text: 'x' }) })
    const said = JSON.stringify([stranger.body, stranger.events])
    expect(said).toContain('gateway.server-unknown')
    expect(said).not.toContain('mail.cedar')
    const [entry] = await world.ledger('&refusal=gateway.not-granted')
    expect(entry?.details).toMatchObject({ reasons: [{ rule: 'mail.cedar#house' }] })
  },
  90_000,
)
