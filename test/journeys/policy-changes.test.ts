import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '#cli'
import { startWorld, type World } from '../world/castellan.ts'
import type { Person } from '../world/people.ts'
import { createTestTerminal } from '../world/terminal.ts'

const example = fileURLToPath(new URL('../../examples/policy', import.meta.url))
let home = ''
let folder = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'castellan-policy-'))
  folder = join(home, 'policy')
  cpSync(example, folder, { recursive: true })
})
afterEach(() => rmSync(home, { recursive: true }))

function commandLine(world: World, person: Person) {
  return async (...argv: string[]) => {
    const terminal = createTestTerminal({
      home: join(home, person.name),
      nowMs: world.clock.now(),
      stdin: argv[0] === 'login' ? person.password : '',
      environment: { CASTELLAN_DATA_DIR: world.dataDir, CASTELLAN_ADMIN__PUBLIC_URL: world.adminUrl },
    })
    const code = await runCli(argv, { up: () => Promise.reject(new Error('it is up')), terminal })
    return { code, out: terminal.out(), err: terminal.err(), said: terminal.out() + terminal.err() }
  }
}

async function signedIn(world: World, person: Person) {
  const castellan = commandLine(world, person)
  const { code, err } = await castellan('login', '--name', person.name, '--password-stdin', '--code', person.nextCode())
  expect(code, err).toBe(0)
  return castellan
}

function rewrite(path: string, from: string, to: string): void {
  const file = join(folder, path)
  const text = readFileSync(file, 'utf8')
  expect(text).toContain(from)
  writeFileSync(file, text.replace(from, to))
}

test('the example is looked at, published, changed, and taken back, with exit codes for a pipeline', async () => {
  const world = await startWorld()
  const ana = await signedIn(world, world.ana)
  const format = await ana('policy', 'format', folder, '--check')
  expect(format.code, format.said).toBe(0)
  const tested = await ana('policy', 'test', folder)
  expect([tested.code, tested.out], tested.said).toEqual([0, '10 of 10 tests passed\n'])
  const linted = await ana('policy', 'lint', folder)
  expect(linted.code).toBe(7)
  expect(linted.out).toContain('lint.unknown-upstream payments.cedar:2')
  expect(linted.out).toContain('lint.unmeetable-remedy')
  expect((await ana('policy', 'lint', folder, '--accept-warnings')).code).toBe(0)
  const dry = await ana('policy', 'publish', folder, '--dry-run', '--diff', '--accept-warnings')
  expect([dry.code, dry.out]).toEqual([0, expect.stringContaining('+ @id("large-payments")')])
  expect((await ana('policy', 'publish', folder, '--dry-run')).code).toBe(7)
  expect((await ana('policy', 'publish', folder)).err).toContain('policy.warnings-unaccepted')
  const published = await ana('policy', 'publish', folder, '--accept-warnings', '--note', 'first', '--json')
  expect(published.code, published.said).toBe(0)
  const { version } = JSON.parse(published.out) as { version: number }
  const again = await ana('policy', 'publish', folder, '--accept-warnings')
  expect([again.code, again.out]).toEqual([0, expect.stringContaining('nothing to publish')])

  rewrite('policies/payments.cedar', '> 100000', '> 1000000')
  const failing = await ana('policy', 'publish', folder, '--accept-warnings')
  expect([failing.code, failing.out]).toEqual([7, expect.stringContaining('one cent more needs a treasurer')])
  rewrite('tests/payments.yaml', 'cents: 100001', 'cents: 1000001')
  expect((await ana('policy', 'publish', folder, '--accept-warnings', '--note', 'more')).code).toBe(0)
  const diff = await ana('policy', 'diff', String(version))
  expect(diff.out).toContain('-   context.numbers.getTag("cents") > 100000')
  const back = await ana('policy', 'rollback', String(version), '--note', 'too much', '--accept-warnings', '--yes')
  expect([back.code, back.out], back.said).toEqual([0, expect.stringContaining(`snapshot ${version + 2} is in force`)])
  expect((await ana('policy', 'diff', String(version))).out).toContain('say the same')
  const history = await ana('policy', 'history')
  expect(history.out).toContain('too much')
  expect((await ana('policy', 'show')).out).toContain('@id("large-payments")')
}, 60_000)

test('what a folder holds that means nothing is told with its line, and nothing is published', async () => {
  const world = await startWorld()
  const ana = await signedIn(world, world.ana)
  rewrite('roles/teller.yaml', 'description:', 'descripton:')
  const misspelt = await ana('policy', 'publish', folder)
  expect([misspelt.code, misspelt.out]).toEqual([7, expect.stringContaining('roles/teller.yaml:1:1')])
  expect(misspelt.out).toContain('`descripton` is not a key here')
  rewrite('roles/teller.yaml', 'descripton:', 'description:')
  rewrite(
    'policies/payments.cedar',
    'context.numbers.getTag("cents") > 100000',
    'context.numbers.getTag("cents") > "x"',
  )
  const untyped = await ana('policy', 'lint', folder)
  expect([untyped.code, untyped.out]).toEqual([7, expect.stringContaining('error lint.invalid payments.cedar:')])
  expect((await ana('policy', 'lint', home)).said).toContain('cli.policy-folder')
}, 60_000)

test('where two persons change the policy, one publishes and another approves', async () => {
  const world = await startWorld()
  writeFileSync(join(world.dataDir, 'castellan.yaml'), 'policy:\n  fourEyes: true\n')
  expect((await world.ana.api('POST', '/config/reload', {})).body['outcome']).toBe('applied')
  const ben = await signedIn(world, await world.join('ben', ['admin']))
  const ana = await signedIn(world, world.ana)
  const proposed = await ana('policy', 'publish', folder, '--accept-warnings', '--json')
  expect(proposed.code, proposed.said).toBe(0)
  const { draft } = JSON.parse(proposed.out) as { draft: string }
  expect((await ben('policy', 'draft', 'list')).out).toContain(draft)
  const shown = await ben('policy', 'draft', 'show', draft)
  expect(shown.out).toContain('added   file payments.cedar')
  expect(shown.said).toContain(`castellan policy replay ${draft}`)
  const own = await ana('policy', 'draft', 'approve', draft, '--accept-warnings', '--yes')
  expect([own.code, own.err]).toEqual([5, expect.stringContaining('policy.own-draft')])
  const role = await ana('role', 'put', 'alone', '--grant', 'servers:use on books')
  expect([role.code, role.err]).toEqual([7, expect.stringContaining('policy.second-person-needed')])
  const approved = await ben('policy', 'draft', 'approve', draft, '--accept-warnings', '--yes')
  expect([approved.code, approved.out], approved.said).toEqual([0, expect.stringContaining('is in force')])
  const second = await ana('policy', 'rollback', '1', '--accept-warnings', '--yes')
  expect(second.out, second.said).toContain('waits for a second person')
  expect((await ben('policy', 'draft', 'list')).out).toContain('proposed')
}, 60_000)
