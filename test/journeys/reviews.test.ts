/**
 * Ana wants to know who has access to what and who uses it. She looks at it at her command line, begins a campaign, Lea
 * answers what she is asked, and Ana closes it and hands the evidence to an auditor.
 */
import { runCli } from '#cli'
import { expect, test } from 'vitest'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { temporaryFolder } from '../world/folder.ts'
import { callTool, listTools } from '../world/messages.ts'
import type { Person } from '../world/people.ts'
import { createTestTerminal } from '../world/terminal.ts'

const dayMs = 86_400_000

async function signedIn(world: World, person: Person) {
  const home = temporaryFolder()
  const castellan = async (...argv: string[]) => {
    const environment = {
      CASTELLAN_DATA_DIR: world.dataDir,
      CASTELLAN_ADMIN__PUBLIC_URL: world.adminUrl,
      NO_COLOR: '1',
    }
    const stdin = argv[0] === 'login' ? person.password : ''
    const terminal = createTestTerminal({ home, nowMs: world.clock.now(), stdin, environment })
    const code = await runCli(argv, { up: () => Promise.reject(new Error('it is up')), terminal })
    return { code, out: terminal.out(), err: terminal.err() }
  }
  const { code, err } = await castellan('login', '--name', person.name, '--password-stdin', '--code', person.nextCode())
  expect(code, err).toBe(0)
  return castellan
}

async function startReviews() {
  const world = await startWorld()
  const { ana } = world
  const { body } = await ana.api('GET', '/roles')
  const grants = (body['items'] as { name: string; grants: object[] }[]).find(({ name }) => name === reader)?.grants
  const more = { permissions: ['tools:call'], resources: ['books/tools/secret_tool'] }
  await ana.api('PUT', `/roles/${reader}`, { description: '', grants: [...(grants ?? []), more], owner: 'lea' })
  const reviewing = { permissions: ['reviews:read', 'reviews:write'], resources: ['castellan'] }
  await ana.api('PUT', '/roles/reviewer', { description: '', grants: [reviewing] })
  await ana.api('PUT', '/roles/idle', {
    description: '',
    grants: [{ permissions: ['tools:call'], resources: ['books/tools/=idle'] }],
  })
  const lea = await world.join('lea', ['reviewer'])
  const ben = await world.join('ben', [reader, 'idle'])
  return { world, ana, lea, ben }
}

const linesOf = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('who has access, through what, and who uses it is told for people, machines and spreadsheets', async () => {
  const { world, ben } = await startReviews()
  const token = await ben.mint('books')
  await world.post({ token, message: listTools })
  await world.post({ token, message: callTool('echo') })
  const ana = await signedIn(world, world.ana)
  const shown = await ana('review', 'access', '--tool', 'books/tools/echo')
  expect(shown.code, shown.err).toBe(0)
  expect(shown.out).toMatch(/^ben has role books-reader\n {2}assigned {2}by ana at 2/m)
  expect(shown.out).toMatch(/used +\d uses, last 2.* \(entry \d+\)/)
  expect(shown.out).not.toContain('idle')
  expect(shown.err).toMatch(/no evidence before .*\ncounted up to .*, from one ledger/)
  const lines = linesOf((await ana('review', 'access', '--person', 'ben', '--json')).out)
  expect(lines.map(({ kind, role }) => [kind, role])).toEqual([
    ['role', reader],
    ['role', 'idle'],
  ])
  expect(lines[1]).toMatchObject({ person: { name: 'ben' }, assigned: { how: 'person', by: 'ana' }, use: null })
  const csv = (await ana('review', 'access', '--role', 'idle', '--csv')).out.split('\r\n')
  expect(csv[0]).toMatch(/^person,kind,status,role,rule,/)
  expect(csv[1]).toMatch(
    /^ben,person,active,idle,role:idle#1,role idle#1,tools:call,books\/tools\/=idle,,,person,ana,2/,
  )
  expect((await ana('review', 'access', '--role', 'none')).err).toContain('nobody has any of this')
  expect((await ana('review', 'access', '--person', 'nobody')).code).toBe(6)
  expect((await ana('review', 'access', '--tool', 'books')).code).toBe(2)
  expect((await ana('review', 'access', '--since', 'soon')).err).toContain('cli.bad-moment')

  const young = await ana('review', 'unused', '--since', '30d')
  expect(young.err).toMatch(/nothing is known to be unused\n\d+ more of which nothing can be told yet/)
  expect((await ana('review', 'unused', '--since', '30d', '--fail-on-unused')).code).toBe(0)
  world.clock.advance(40 * dayMs)
  const again = await signedIn(world, world.ana)
  await world.post({ token: await mintedAgain(ben), message: callTool('echo') })
  const unused = await again('review', 'unused', '--since', '30d')
  expect(unused.out).toMatch(/^unused {2}role idle$/m)
  expect(unused.out).toMatch(/^unused {2}ben has role idle$/m)
  expect(unused.out).toMatch(
    /^wider than used {2}grant role:books-reader#1 .*\n.*\n {2}enough {4}servers:use,tools:call\/execute on books,books\/tools\/echo$/m,
  )
  expect((await again('review', 'unused', '--since', '30d', '--fail-on-unused')).code).toBe(7)
  const rows = (await again('review', 'unused', '--since', '30d', '--csv')).out.split('\r\n')
  expect(rows[0]).toMatch(/^kind,verdict,role,/)
  expect(rows).toContainEqual(expect.stringMatching(/^role,unused,idle,,,/))
  const all = linesOf((await again('review', 'unused', '--since', '30d', '--all', '--json')).out)
  expect(all.map(({ verdict }) => verdict)).toContain('not-recorded')
}, 60_000)

async function mintedAgain(person: Person): Promise<string> {
  await person.signIn()
  return person.mint('books')
}

test('a campaign goes from the first item to the evidence', async () => {
  const { world, ana: person, lea: reviewer } = await startReviews()
  const ana = await signedIn(world, person)
  const lea = await signedIn(world, reviewer)
  expect((await ana('review', 'campaign', 'list')).err).toContain('no campaigns')
  const begun = await ana('review', 'campaign', 'create', 'q3', '--due', '14d', '--role', reader, '--json')
  expect(begun.code, begun.err).toBe(0)
  const [campaign] = linesOf(begun.out)
  expect(campaign).toMatchObject({ name: 'q3', state: 'open', whenDue: 'open', counts: { open: 3 } })
  const id = String(campaign?.['id'])
  expect((await ana('review', 'campaign', 'list')).out).toMatch(/ q3 +open +2/)
  const shown = (await lea('review', 'campaign', 'show', id, '--state', 'open')).out
  expect(shown).toMatch(/unanswered +stays open when due/)
  expect(shown).toMatch(/1 +ben has role books-reader +never seen +open/)
  expect(shown).toMatch(/3 +role books-reader grants tools:call on books\/tools\/secret_tool/)
  const answer = async (...argv: string[]) => lea('review', 'campaign', ...argv)
  expect((await answer('decide', id, '1', 'maybe')).err).toContain('cli.bad-decision')
  expect((await answer('decide', id, '9', 'keep', '--yes')).err).toContain('review.item-unknown')
  expect((await answer('decide', id, '1', 'keep', '--revision', '4', '--yes')).err).toContain('review.item-changed')
  const kept = await answer('decide', id, '1', 'keep', '--reason', 'still there', '--yes')
  expect(kept).toMatchObject({ code: 0, out: 'kept: it stays as it is\n' })
  expect((await answer('decide', id, '1', 'revoke', '--yes')).err).toContain('review.item-decided')
  expect((await answer('delegate', id, '2', 'ana')).out).toContain('item 2 is for ana to review')
  expect((await answer('decide', id, '2', 'keep', '--yes')).err).toContain('review.not-reviewer')
  expect((await ana('review', 'campaign', 'decide', id, '2', 'keep', '--yes')).code).toBe(0)
  expect((await answer('decide', id, '3', 'revoke', '--reason', 'nobody needs it', '--yes')).out).toContain(
    'revoked: taken out of the role by the draft',
  )
  expect((await ana('review', 'campaign', 'export', id)).err).toContain('review.campaign-open')
  expect((await answer('close', id, '--yes')).code).toBe(5)
  const closed = await ana('review', 'campaign', 'close', id, '--yes')
  expect(closed.out).toMatch(/items +0 open, 2 kept, 1 revoked, 0 unanswered, 0 gone/)
  const draft = /draft (\S+): `castellan policy draft show/.exec(closed.err)?.[1] ?? ''
  const pending = await ana('policy', 'draft', 'show', draft)
  expect(pending.out).toContain('loses role books-reader grants less: held by ben')
  expect((await ana('role', 'show', reader)).out).toContain('secret_tool')

  const lines = linesOf((await ana('review', 'campaign', 'export', id)).out)
  expect(lines.map(({ kind }) => kind)).toEqual(['campaign', 'item', 'item', 'item', 'end'])
  expect(lines[1]).toMatchObject({ item: { state: 'kept', reason: 'still there', outcome: { byName: 'lea' } } })
  const csv = await ana('review', 'campaign', 'export', id, '--csv')
  expect(csv.out).toMatch(/^item,kind,about,state,.*\r\n1,assignment,ben has role books-reader,kept,lea,2/)
  expect(csv.err).toContain(`3 items, sha256 ${String(lines.at(-1)?.['sha256'])}`)
  expect((await ana('review', 'campaign', 'create', 'late', '--due', 'never')).err).toContain('cli.bad-moment')
  expect((await ana('review', 'campaign', 'create', 'late', '--due', '2020-01-01T00:00:00Z')).err).toContain(
    'review.campaign-invalid',
  )
}, 60_000)
