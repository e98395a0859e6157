import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '#cli'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import type { Person } from '../world/people.ts'
import { publishPolicy } from '../world/step-up/approvals.ts'
import { createTestTerminal } from '../world/terminal.ts'

let home = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'castellan-questions-'))
  mkdirSync(join(home, 'policy', 'policies'), { recursive: true })
})
afterEach(() => rmSync(home, { recursive: true }))

async function signedIn(world: World, person: Person) {
  const castellan = async (...argv: string[]) => {
    const terminal = createTestTerminal({
      home: join(home, person.name),
      nowMs: world.clock.now(),
      stdin: argv[0] === 'login' ? person.password : '',
      environment: { CASTELLAN_DATA_DIR: world.dataDir, CASTELLAN_ADMIN__PUBLIC_URL: world.adminUrl },
    })
    const code = await runCli(argv, { up: () => Promise.reject(new Error('it is up')), terminal })
    return { code, out: terminal.out(), err: terminal.err(), said: terminal.out() + terminal.err() }
  }
  const { code, err } = await castellan('login', '--name', person.name, '--password-stdin', '--code', person.nextCode())
  expect(code, err).toBe(0)
  return castellan
}

const calls = 'action in Castellan::Action::"tools:call"'

test('a change is tried on the calls of the past, and a pipeline is stopped by what it tightens', async () => {
  const world = await startWorld()
  const token = await (await world.join('ben', [reader])).mint('books')
  for (const text of ['large', 'small']) await world.post({ token, message: callTool('echo', text) })
  const ana = await signedIn(world, world.ana)
  const folder = join(home, 'policy')
  writeFileSync(
    join(folder, 'policies', 'sizes.cedar'),
    `@id("large")\n@remedy("approval")\n@approvers("admin")\nforbid (principal, ${calls}, resource)\nwhen { context.texts.hasTag("text") && context.texts.getTag("text") == "large" };\n`,
  )
  const shown = await ana('policy', 'replay', folder, '--since', '1d')
  expect(shown.code, shown.said).toBe(0)
  expect(shown.out).toMatch(
    /^tightened .* ben {2}books\/tools\/echo {2}allowed -> denied, unless approval: sizes\.cedar#large/m,
  )
  expect(shown.out).toContain('ben: 0 loosened, 1 tightened, 0 untold')
  expect(shown.out).toContain('2 in ')
  const stopped = await ana('policy', 'replay', folder, '--fail-on', 'tightened', '--json')
  expect([stopped.code, stopped.err]).toEqual([7, expect.stringContaining('cli.replay-changed')])
  const lines = stopped.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string })
  expect(lines.map(({ kind }) => kind)).toEqual(['change', 'summary'])
  expect((await ana('policy', 'replay', folder, '--fail-on', 'loosened')).code).toBe(0)
  expect((await ana('policy', 'replay', folder, '--fail-on', 'much')).err).toContain('cli.bad-fail-on')
  expect((await ana('policy', 'replay', folder, '--since', 'yesterday')).err).toContain('cli.bad-moment')
  expect((await ana('policy', 'replay', 'no-such-draft')).err).toContain('policy.draft-unknown')
})

test('can, why, who-can and explain answer with rules and what they read', async () => {
  const world = await startWorld()
  const ben = await world.join('ben', [reader])
  const token = await ben.mint('books')
  await world.post({ token, message: callTool('secret_tool') })
  const when = 'context.texts.hasTag("text") && context.texts.getTag("text") == "hello"'
  const grants = [{ permissions: ['servers:use', 'tools:call'], resources: ['books', 'books/tools/secret_tool'], when }]
  expect((await world.ana.api('PUT', '/roles/sender', { description: 'says hello', grants })).status).toBe(200)
  expect((await world.ana.api('PUT', '/people/ben/roles/sender', {})).status).toBe(200)
  const ana = await signedIn(world, world.ana)
  const target = 'books/tools/secret_tool'
  expect((await ana('policy', 'can', 'ben', 'tools:call', 'books/tools/echo')).code).toBe(0)
  const open = await ana('policy', 'can', 'ben', 'tools:call', target)
  expect([open.code, open.out]).toEqual([5, expect.stringContaining('it depends')])
  const told = (text: string) => ['--arguments', JSON.stringify({ text })]
  expect((await ana('policy', 'can', 'ben', 'tools:call', target, ...told('hello'))).code).toBe(0)
  const no = await ana('policy', 'can', 'ben', 'tools:call', target, ...told('other'))
  expect([no.code, no.out]).toEqual([5, expect.stringContaining('not met: those of `role sender#1`')])
  const whyNot = await ana('policy', 'why', 'ben', 'tools:call', target, ...told('other'))
  expect(whyNot.out).toContain('role:sender#1 (role sender#1): would allow it, but is not met')
  expect(whyNot.out).toContain('context.texts["text"] = "other"')
  const why = await ana('policy', 'why', 'ben', 'tools:call', target, ...told('hello'))
  expect(why.code, why.said).toBe(0)
  expect(why.out).toContain('role:sender#1 (role sender#1): role')
  expect(why.out).not.toContain('not met')
  expect(why.out).toContain('context.texts["text"]')
  expect((await ana('policy', 'why', 'ben', 'tools:call', target, '--arguments', '[1]')).code).not.toBe(0)
  expect((await ana('policy', 'can', 'nobody', 'tools:call', target)).code).toBe(6)
  const who = await ana('policy', 'who-can', 'tools:call', target)
  expect(who.out).toMatch(/ana +person +yes +role admin#1/)
  expect(who.out).toMatch(/ben +person +depends on arguments or more +role sender#1/)
  const [refused] = await world.ledger('&event=call.refused')
  const explained = await ana('policy', 'explain', String(refused?.seq))
  expect(explained.code, explained.said).toBe(0)
  expect(explained.out).toContain('refused with gateway.not-granted')
  expect(explained.out).toContain('by the rules of then')
  // WHY: whoever got a role after the call did not have it then.
  expect(explained.out).toMatch(/by the policy in force\ndenied by snapshot 3\n/)
  expect((await ana('policy', 'explain', '999999')).err).toContain('policy.entry-unknown')
})

test('a question tells what clients have met and what was consented to', async () => {
  const world = await startWorld()
  await world.join('ben', [reader])
  const rule = `@id("letters")
forbid (principal, ${calls}, resource) when { context.flow.contains("untrusted") }
unless { context.consents.contains("To look, and to read") };`
  await publishPolicy(world.ana, rule)
  const ana = await signedIn(world, world.ana)
  const can = (...told: string[]) => ana('policy', 'can', 'ben', 'tools:call', 'books/tools/echo', ...told)
  expect((await can()).code).toBe(0)
  expect((await can('--labels', 'sensitivity:secret')).code).toBe(0)
  const denied = await can('--labels', 'sensitivity:secret,untrusted')
  expect([denied.code, denied.out]).toEqual([5, expect.stringContaining('#letters')])
  expect((await can('--labels', 'untrusted', '--consent', 'To read')).code).toBe(5)
  const given = await can('--labels', 'untrusted', '--consent', 'To read', '--consent', 'To look, and to read')
  expect(given.code, given.said).toBe(0)
  expect((await can('--labels', 'un trusted')).said).toContain('write labels such as')
  const asked = (name: string, value: string) =>
    world.ana.api('GET', `/policy/decide?person=ben&permission=tools:call&target=books&${name}=${value}`)
  const listOf = (length: number) => encodeURIComponent(JSON.stringify(['a'.repeat(length - 4)]))
  expect((await asked('labels', 'a'.repeat(2_048))).status).toBe(200)
  expect((await asked('labels', 'a'.repeat(2_049))).status).toBe(400)
  expect((await asked('consents', listOf(4_096))).status).toBe(200)
  expect((await asked('consents', listOf(4_097))).status).toBe(400)
  for (const consents of ['To look', '{"a":1}', '[1]']) {
    expect(await asked('consents', encodeURIComponent(consents))).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '#/query/consents' }] },
    })
  }
})
