import { expect, test } from 'vitest'
import { reader, startWorld, type World } from '../../../test/world/castellan.ts'
import { callTool } from '../../../test/world/messages.ts'

type Line = Record<string, unknown> & { kind: string; counts: Record<string, number> }

async function replay(world: World, filter: object): Promise<Line[]> {
  const text =
    '@id("no-echo")\nforbid (principal, action in Castellan::Action::"tools:call", resource) when { resource.name == "echo" };\n'
  const response = await fetch(`${world.adminUrl}/api/v1/policy/replay`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.ana.sessionToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ folder: { files: [{ path: 'policies/a.cedar', text }] }, ...filter }),
  })
  const lines = (await response.text()).split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Line)
}

async function startWithCalls(): Promise<World> {
  const world = await startWorld()
  const [ben, eve] = [await world.join('ben', [reader]), await world.join('eve', [reader])]
  const [bens, eves] = [await ben.mint('books'), await eve.mint('books')]
  for (let at = 0; at < 4; at++) await world.post({ token: bens, message: callTool('echo') })
  world.clock.advance(600_000)
  await world.post({ token: eves, message: callTool('echo') })
  await world.post({ token: eves, message: callTool('secret_tool') })
  return world
}

test('a replay is narrowed by person, tool, decision, time and number, and goes on where it stopped', async () => {
  const world = await startWithCalls()
  const count = async (filter: object) => {
    const summary = (await replay(world, filter)).at(-1)
    return [summary?.counts['calls'], summary?.counts['tightened']]
  }
  expect(await count({})).toEqual([6, 5])
  expect(await count({ person: 'eve' })).toEqual([2, 1])
  expect(await count({ tool: 'secret_tool' })).toEqual([1, 0])
  expect(await count({ upstream: 'elsewhere' })).toEqual([0, 0])
  expect(await count({ decision: 'denied' })).toEqual([1, 0])
  const then = new Date(world.clock.now() - 300_000).toISOString()
  expect(await count({ since: then })).toEqual([2, 1])
  expect(await count({ until: then })).toEqual([4, 4])
  const first = (await replay(world, { mostCalls: 2 })).at(-1)
  expect(first).toMatchObject({ ended: 'most-calls', counts: { calls: 2 } })
  expect(await count({ before: first?.['before'] })).toEqual([4, 4])
  expect(await count({ mostCalls: 6 })).toEqual([6, 5])
})

test('a draft is replayed by its id; neither or both is refused, and so is what does not compile', async () => {
  const world = await startWithCalls()
  const files = [
    {
      path: 'policies/a.cedar',
      text: '@id("none")\nforbid (principal, action, resource) when { principal.name == "eve" };\n',
    },
  ]
  const draft = await world.ana.api('POST', '/policy/drafts', { files, note: 'no eve' })
  const asked = async (body: object) => {
    const { status, body: answer } = await world.ana.api('POST', '/policy/replay', body)
    return [status, answer['code'] ?? answer['kind']]
  }
  expect(await asked({ draft: draft.body['id'], mostCalls: 1, decision: 'denied' })).toEqual([200, 'summary'])
  expect(await asked({})).toEqual([400, 'admin.invalid-request'])
  expect(await asked({ draft: 'x', folder: { files } })).toEqual([400, 'admin.invalid-request'])
  expect(await asked({ draft: 'nothing' })).toEqual([404, 'policy.draft-unknown'])
  const broken = {
    files: [{ path: 'policies/a.cedar', text: 'permit (principal, action, resource) when { principal.nose };' }],
  }
  expect(await asked({ folder: broken })).toEqual([422, 'policy.replay-invalid'])
})

test('an entry, its end or its exchange is explained: rules of then with their place and text, and what is in force', async () => {
  const world = await startWithCalls()
  const [refused] = await world.ledger('&event=call.refused')
  const [completed] = await world.ledger('&event=call.completed')
  const explain = async (entry: unknown) => (await world.ana.api('GET', `/policy/explain?entry=${String(entry)}`)).body
  expect(await explain(refused?.seq)).toMatchObject({
    wasAllowed: false,
    refusal: 'gateway.not-granted',
    recorded: [{ rule: 'not-granted' }],
    past: [{ isAllowed: true }, { isAllowed: false, rules: [{ rule: 'not-granted' }] }],
  })
  const allowed = await explain(completed?.seq)
  expect(allowed).toMatchObject({ wasAllowed: true, event: 'call.intended' })
  expect(await explain(completed?.exchange)).toEqual(allowed)
  const [, about] = allowed['past'] as { rules: Record<string, unknown>[] }[]
  expect(about?.rules[0]).toMatchObject({ rule: `role:${reader}#1`, place: `role ${reader}#1`, effect: 'permit' })
  await world.ana.api('DELETE', `/people/ben/roles/${reader}`)
  await world.ana.api('PUT', `/roles/${reader}`, {
    description: '',
    grants: [{ permissions: ['servers:use'], resources: ['books'] }],
  })
  expect(await explain(completed?.seq)).toMatchObject({
    past: [{ isAllowed: true }, { isAllowed: true }],
    inForce: [{ isAllowed: true }, { isAllowed: false }],
  })
  expect((await world.ana.api('GET', '/policy/explain?entry=1')).body['code']).toBe('policy.entry-unknown')
  expect((await world.ana.api('GET', '/policy/explain?entry=999999999')).status).toBe(404)
})
