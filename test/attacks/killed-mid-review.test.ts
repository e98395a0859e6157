/**
 * Somebody kills the gateway while reviewers answer, again and again, hoping that a role stays although its revocation was
 * answered, or that one is gone that nobody decided about. The whole of it goes through the real program.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { proves } from '../proves.ts'
import { type Program, runProgram, startProgram } from '../world/program.ts'
import { runCastellan, type RunningCastellan } from '../world/running-castellan.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))
const people = 40
const lives = 2

interface Item {
  readonly place: number
  readonly revision: number
  readonly state: string
  readonly subject: { readonly person: { readonly name: string } }
}

async function startAgain({ env }: RunningCastellan): Promise<Program> {
  const program = startProgram(process.execPath, [launcher, 'up'], { env })
  onTestFinished(async () => void (await program.stop()))
  await program.waitFor(/^\{.*"event":"ready".*\}$/m)
  return program
}

async function itemsOf({ ana }: RunningCastellan, id: string): Promise<readonly Item[]> {
  return (await ana.api('GET', `/reviews/campaigns/${id}/items?limit=500`)).body['items'] as Item[]
}

/** Answers one item after the other until the process is gone; what was answered. */
async function answerUntilKilled(castellan: RunningCastellan, id: string): Promise<ReadonlyMap<number, string>> {
  const answered = new Map<number, string>()
  try {
    for (const { place, revision, state } of await itemsOf(castellan, id)) {
      if (state !== 'open') continue
      const decision = place % 2 === 0 ? 'keep' : 'revoke'
      const asked = { decision, revision, reason: 'looked' }
      const { status, body } = await castellan.ana.api('POST', `/reviews/campaigns/${id}/items/${place}/decide`, asked)
      if (status === 200) answered.set(place, String(body['state']))
    }
  } catch {
    return answered
  }
  return answered
}

async function holders({ ana }: RunningCastellan): Promise<ReadonlySet<string>> {
  const found = (await ana.api('GET', '/people')).body['items'] as { name: string; roles: string[] }[]
  return new Set(found.flatMap(({ name, roles }) => (roles.includes('reader') ? [name] : [])))
}

async function begin({ ana }: RunningCastellan): Promise<string> {
  const grants = [{ permissions: ['tools:call'], resources: ['notes/tools/*'] }]
  expect((await ana.api('PUT', '/roles/reader', { description: '', grants })).status).toBe(200)
  for (let at = 0; at < people; at += 1) {
    expect((await ana.api('POST', '/people', { name: `person-${at}`, roles: [] })).status).toBe(201)
    expect((await ana.api('PUT', `/people/person-${at}/roles/reader`, {})).status).toBe(200)
  }
  const dueAt = new Date(Date.now() + 86_400_000).toISOString()
  const begun = await ana.api('POST', '/reviews/campaigns', {
    name: 'q3',
    kinds: ['assignment'],
    roles: ['reader'],
    dueAt,
  })
  expect(begun.body).toMatchObject({ counts: { open: people } })
  return String(begun.body['id'])
}

proves(
  'REV-2',
  'killed while it is answered, every answer stands with what it took, and nothing else was taken',
  async () => {
    const castellan = await runCastellan()
    onTestFinished(() => castellan.end())
    const id = await begin(castellan)
    let { program }: { program: Program } = castellan
    for (let life = 1; life <= lives; life += 1) {
      const answering = answerUntilKilled(castellan, id)
      await sleep(40 + Math.random() * 60)
      process.kill(program.pid, 'SIGKILL')
      await program.ended
      const answered = await answering
      program = await startAgain(castellan)
      const items = await itemsOf(castellan, id)
      const reading = await holders(castellan)
      for (const { place, state, subject } of items) {
        expect(answered.get(place) ?? state).toBe(state)
        expect([place, reading.has(subject.person.name)]).toEqual([place, state !== 'revoked'])
      }
    }
    expect((await answerUntilKilled(castellan, id)).size).toBeGreaterThan(0)
    expect((await itemsOf(castellan, id)).every(({ state }) => state !== 'open')).toBe(true)

    const { env, ana } = castellan
    const run = async (argv: readonly string[], input?: string) =>
      runProgram(process.execPath, [launcher, ...argv], { env, ...(input !== undefined && { input }) })
    const login = await run(['login', '--name', 'ana', '--password-stdin', '--code', ana.nextCode()], ana.password)
    expect(login.code, login.output).toBe(0)
    const closed = await run(['review', 'campaign', 'close', id, '--yes', '--json'])
    expect(JSON.parse(closed.stdout)).toMatchObject({
      state: 'closed',
      counts: { kept: people / 2, revoked: people / 2 },
    })
    const told = await run(['review', 'campaign', 'export', id])
    const lines = told.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; sha256?: string })
    expect(lines).toHaveLength(people + 2)
    expect(lines.at(-1)?.sha256).toBe((JSON.parse(closed.stdout) as { exportHash: string }).exportHash)
    const access = await run(['review', 'access', '--role', 'reader', '--csv'])
    expect(access.stdout.trim().split('\r\n')).toHaveLength(1 + people / 2)
    const verified = await run(['audit', 'verify'])
    expect(verified.code, verified.output).toBe(0)
  },
  120_000,
)
