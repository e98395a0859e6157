/** Budgets, holds and labels by the program that people type: what it prints, for people and for programs, and its exit codes. */
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { atEnd, forAllTests } from '../ending.ts'
import { callTool } from '../world/messages.ts'
import type { Person } from '../world/people.ts'
import { runProgram } from '../world/program.ts'
import { runCastellan, type RunningCastellan } from '../world/running-castellan.ts'
import { startRecordingUpstream } from '../world/servers/recording-upstream.ts'
import { publishPolicy } from '../world/step-up/approvals.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))
const patienceMs = 120_000

let castellan: RunningCastellan
let ben: Person

async function run(argv: readonly string[], input?: string) {
  const { adminUrl, env } = castellan
  const asked = { env: { ...env, COLUMNS: '300' }, ...(input === undefined ? {} : { input }) }
  const { code, output, stdout } = await runProgram(
    process.execPath,
    [launcher, ...argv, '--admin-url', adminUrl],
    asked,
  )
  return { code, out: stdout, said: output }
}

/** Runs a command that has to work. @returns what it printed */
async function type(...argv: string[]): Promise<string> {
  const { code, out, said } = await run(argv)
  expect(code, `${argv.join(' ')}\n${said}`).toBe(0)
  return out
}

async function typeJson(...argv: string[]): Promise<unknown> {
  return JSON.parse(await type(...argv, '--json')) as unknown
}

async function callEcho(token: string): Promise<{ status: number; text: string }> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  }
  const sent = { method: 'POST', headers, body: JSON.stringify(callTool('echo')) }
  const answer = await fetch(`${castellan.gatewayUrl}/servers/books/mcp`, sent)
  return { status: answer.status, text: await answer.text() }
}

forAllTests(async () => {
  castellan = await runCastellan()
  atEnd(() => castellan.end())
  const { ana } = castellan
  const upstream = await startRecordingUpstream()
  await castellan.addUpstream('books', upstream.url)
  const clerk = [{ permissions: ['servers:use', 'tools:call'], resources: ['books', 'books/*'] }]
  await ana.api('PUT', '/roles/clerk', { grants: clerk })
  ben = await castellan.join('ben', ['clerk'])
  const login = ['login', '--name', 'ana', '--password-stdin', '--code', ana.nextCode()]
  const { code, said } = await run(login, ana.password)
  expect(code, said).toBe(0)
})

test(
  'a budget is set, listed, shown with what was used, changed and removed',
  async () => {
    expect((await run(['budget', 'list'])).said).toContain('no budgets; set one with `castellan budget set')
    expect(await typeJson('budget', 'list')).toEqual([])
    expect(await type('budget', 'set', '--person', 'ben', '--calls', '1', '--per', 'day')).toMatch(
      /^budget \S+: 1 calls per day, person \S+\n$/,
    )
    const token = await ben.mint('books')
    expect((await callEcho(token)).status).toBe(200)
    expect(await callEcho(token)).toMatchObject({
      status: 429,
      text: expect.stringContaining('1 calls per day') as unknown,
    })
    const [made] = (await typeJson('budget', 'list')) as { id: string }[]
    expect(made).toMatchObject({ kind: 'principal', meter: 'calls', period: 'day', amount: 1 })
    const id = made?.id ?? ''
    expect(await type('budget', 'list')).toContain(`${id}`)
    expect(await type('budget', 'show', id)).toContain('1 of 1 handed out')
    expect(await typeJson('budget', 'show', id)).toMatchObject({ id, taken: [{ taken: 1 }] })
    expect(await typeJson('budget', 'set', '--person', 'ben', '--calls', '2', '--per', 'day')).toMatchObject({
      id,
      amount: 2,
    })
    expect(await type('budget', 'cost', 'books/echo', '5')).toBe('a call of books/echo costs 5\n')
    expect(await typeJson('budget', 'cost', 'books/echo', '0')).toEqual({ tool: 'books/echo', units: 0 })
    for (const [on, said] of [
      [['--each'], 'each person'],
      [['--role', 'clerk'], 'each with role clerk'],
      [['--tool', 'books/echo'], 'tool books/echo'],
      [['--upstream', 'books'], 'upstream books'],
    ] as const) {
      expect(await type('budget', 'set', ...on, '--bytes', '1000', '--per', 'month')).toContain(
        `1000 bytes per month, ${said}`,
      )
    }
    expect(await type('budget', 'remove', id)).toBe(`removed ${id}\n`)
    expect(await typeJson('budget', 'list')).toHaveLength(4)
  },
  patienceMs,
)

test(
  'a hold on a client or an address is placed, listed, shown and lifted',
  async () => {
    const client = ['--client', 'c-1', '--reason', 'token on a public page']
    const placed = await type('hold', 'place', ...client)
    expect(placed).toMatch(/^hold \S+ on client c-1 is in force\n/)
    const network = ['--address', '203.0.113.0/24', '--reason', 'guessing passwords', '--for', '1h']
    const on = (await typeJson('hold', 'place', ...network)) as { id: string }
    expect(on).toMatchObject({ kind: 'address', subject: '203.0.113.0/24', reason: 'guessing passwords' })
    const list = await type('hold', 'list')
    for (const text of ['client c-1', 'address 203.0.113.0/24', 'in force', 'no end']) expect(list).toContain(text)
    expect(await type('hold', 'show', on.id)).toContain('reason: guessing passwords')
    expect(await type('hold', 'lift', on.id)).toBe(`lifted ${on.id}\n`)
    expect(await typeJson('hold', 'list')).toMatchObject([{ kind: 'client', subject: 'c-1' }])
    expect(await type('hold', 'list', '--all')).toContain('lifted')
    expect(await type('hold', 'show', on.id)).toContain('lifted: ')
  },
  patienceMs,
)

test(
  'what clients have met is shown and set back, after a question',
  async () => {
    expect((await run(['flow', 'show', 'ben'])).said).toContain('nothing that counts has been met')
    await publishPolicy(
      castellan.ana,
      '@id("way-out")\nforbid (principal, action in Castellan::Action::"tools:call", resource)\nwhen { context.flow.contains("never") };\n',
    )
    for (const { id } of (await typeJson('budget', 'list')) as { id: string }[]) await type('budget', 'remove', id)
    expect((await callEcho(await ben.mint('books'))).status).toBe(200)
    const shown = await type('flow', 'show', 'ben')
    for (const text of ['CLIENT', 'tokens', 'untrusted', 'sensitivity:restricted', 'books tool echo'])
      expect(shown).toContain(text)
    const labels = await typeJson('flow', 'show', 'ben')
    expect(labels).toMatchObject([
      { bearer: 'tokens', label: 'sensitivity:restricted', upstream: 'books', kind: 'tool', name: 'echo' },
      { bearer: 'tokens', label: 'untrusted' },
    ])
    const unasked = await run(['flow', 'reset', 'ben', '--reason', 'case closed'])
    expect([unasked.code, unasked.said]).toEqual([1, expect.stringContaining('--yes') as unknown])
    const reset = ['flow', 'reset', 'ben', '--reason', 'case closed', '--yes']
    expect(await typeJson(...reset, '--client', 'client/other')).toEqual({ removed: 0 })
    expect(await type(...reset, '--client', 'tokens')).toBe('set back 2 labels\n')
    expect(await typeJson(...reset)).toEqual({ removed: 0 })
  },
  patienceMs,
)

const wrong: readonly (readonly [string, number, string, string])[] = [
  ['budget set --calls 1 --per day', 1, 'cli.budget', 'a budget is on exactly one thing'],
  ['budget set --each --role x --calls 1 --per day', 1, 'cli.budget', 'a budget is on exactly one thing'],
  ['budget set --each --per day', 1, 'cli.budget', 'a budget counts exactly one thing'],
  ['budget set --each --calls 1 --bytes 1 --per day', 1, 'cli.budget', 'a budget counts exactly one thing'],
  ['budget set --each --calls 1.5 --per day', 1, 'cli.budget', '1.5 is not an amount'],
  ['budget set --each --calls 1 --per year', 1, 'cli.budget', 'year is not a period'],
  ['budget set --each --calls 1', 1, 'cli.usage', '--per'],
  ['budget set --upstream a/b --calls 1 --per day', 2, 'policy.budget-subject-invalid', 'cannot have a budget'],
  ['budget set --person nobody --calls 1 --per day', 6, 'admin.not-found', 'person'],
  ['budget show never', 6, 'policy.budget-unknown', 'castellan budget list'],
  ['budget remove never', 6, 'policy.budget-unknown', 'castellan budget list'],
  ['budget cost echo 5', 2, 'policy.budget-subject-invalid', 'cannot have a budget'],
  ['budget cost books/echo many', 1, 'cli.budget', 'many is not an amount'],
  ['hold place --reason x', 1, 'cli.hold-subject', '--client <id>, --address <network>'],
  ['hold place --client a --address 192.0.2.1 --reason x', 1, 'cli.hold-subject', 'a hold is on exactly one thing'],
  ['hold place --client a', 1, 'cli.usage', '--reason'],
  ['hold place --address 10.0.0.1/8 --reason x', 2, 'policy.hold-subject-invalid', '10.0.0.1/8'],
  ['hold place --address 127.0.0.1 --reason x', 7, 'admin.own-address', '127.0.0.1'],
  ['hold place --address 127.0.0.0/8 --reason x', 7, 'admin.own-address', 'hold a narrower network'],
  ['hold place --client a --reason x --for soon', 1, '', 'soon'],
  ['hold show never', 6, 'policy.hold-unknown', 'castellan hold list --all'],
  ['hold lift never', 6, 'policy.hold-unknown', ''],
  ['flow show nobody', 6, '', 'person'],
  ['flow reset ben --yes', 1, 'cli.usage', '--reason'],
  ['flow reset nobody --reason x --yes', 6, '', 'person'],
]

test(
  'what is wrong is told with what to do, on the error stream, with an exit code for programs',
  async () => {
    const found = []
    for (const [typed, expected, named, says] of wrong) {
      const { code, out, said } = await run(typed.split(' '))
      if (code !== expected || out !== '' || !said.includes(named) || !said.includes(says))
        found.push([typed, code, said])
    }
    expect(found).toEqual([])
    const { code, out, said } = await run(['budget', 'show', 'never', '--json'])
    expect([code, JSON.parse(out === '' ? said : out)]).toEqual([6, expect.objectContaining({}) as unknown])
  },
  patienceMs,
)

test.each(['budget', 'budget set', 'hold', 'hold place', 'flow', 'flow reset'])(
  '`%s --help` tells what there is',
  async (command) => {
    const { code, out } = await run([...command.split(' '), '--help'])
    expect([code, out]).toEqual([0, expect.stringContaining(`castellan ${command}`) as unknown])
    expect(out).toMatch(/Options:|Commands:|options|commands/i)
  },
  patienceMs,
)
