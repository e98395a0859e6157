/** The promise to a newcomer, kept by a script: from the first command to the proved record of a call within a minute. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { withBrowser } from '../../test/world/browser.ts'
import { oneTimeCode } from '../../test/world/one-time-code.ts'
import { freePorts, runProgram, startProgram } from '../../test/world/program.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))
const mostSeconds = 60
const stepMs = 30_000
const person = { name: 'ana', password: 'a castle above the quiet river' }

interface Ready {
  readonly setupUrl: string
  readonly startedInMs: number
}

interface Entry {
  readonly seq: number
  readonly event: string
  readonly exchange?: string
  readonly outcome: string
  readonly principal?: { readonly name?: string; readonly factors?: readonly string[] }
  readonly details?: Readonly<Record<string, unknown>>
}

function createStopwatch() {
  const startedAt = performance.now()
  const seconds: Record<string, number> = {}
  const rounded = (ms: number): number => Math.round(ms / 100) / 10
  return {
    seconds,
    total: () => rounded(performance.now() - startedAt),
    async time<T>(name: string, work: () => Promise<T>): Promise<T> {
      const before = performance.now()
      const result = await work()
      seconds[name] = rounded(performance.now() - before)
      console.log(`${seconds[name].toFixed(1).padStart(6)} s  ${name}`)
      return result
    },
  }
}

/** Walks through the page behind the set-up link as a person does. @returns the key for the authenticator app */
function setUpInBrowser(url: string): Promise<{ secret: string; enrolledAtMs: number; recoveryCodes: number }> {
  return withBrowser(async (browser) => {
    const page = await browser.newPage()
    await page.goto(url)
    await page.getByLabel('Name').fill(person.name)
    await page.getByLabel('Password').fill(person.password)
    await page.getByRole('button', { name: 'Continue', exact: true }).click()
    const code = page.getByLabel('Code from the app')
    await code.waitFor()
    const secret = (await page.locator('#secret').innerText()).trim()
    const enrolledAtMs = Date.now()
    await code.fill(oneTimeCode(secret, enrolledAtMs))
    await page.getByRole('button', { name: 'Confirm' }).click()
    const codes = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem')
    await codes.first().waitFor()
    const recoveryCodes = await codes.count()
    await page.getByLabel('I have kept them').check()
    await page.getByRole('button', { name: 'Finish' }).click()
    await page.getByRole('heading', { name: 'You are set up' }).waitFor()
    return { secret, enrolledAtMs, recoveryCodes }
  })
}

/** Each code works once: the app has to show the next one first. */
async function nextCode(secret: string, usedAtMs: number): Promise<string> {
  const nextStepMs = (Math.floor(usedAtMs / stepMs) + 1) * stepMs
  await sleep(Math.max(0, nextStepMs - Date.now()))
  return oneTimeCode(secret, Date.now())
}

type Castellan = <T>(...args: string[]) => Promise<T>

function commandLine(env: NodeJS.ProcessEnv): Castellan {
  return async <T>(...args: string[]) => {
    const { code, output, stdout } = await runProgram(process.execPath, [launcher, ...args, '--json'], { env })
    if (code !== 0) throw new Error(`castellan ${args[0]} ended with ${code}: ${output}`)
    return JSON.parse(stdout) as T
  }
}

/** What the ledger has to say about this quarter of an hour; empty when it says all of it. */
function missingFrom(entries: readonly Entry[], steps: readonly { readonly entry?: number }[]): string[] {
  const isAna = (entry: Entry): boolean => entry.principal?.name === person.name
  const started = entries.find((entry) => entry.event === 'session.started' && isAna(entry))
  const intended = entries.filter((entry) => entry.event === 'call.intended' && isAna(entry))
  const completed = entries.filter((entry) => entry.event === 'call.completed' && entry.outcome === 'succeeded')
  const pairs = intended.filter((intent) =>
    completed.some((done) => done.exchange === intent.exchange && done.seq > intent.seq && isAna(done)),
  )
  const named = steps.flatMap((step) => step.entry ?? [])
  return [
    ...(started === undefined ? ['the sign-in'] : []),
    ...(started !== undefined && !JSON.stringify(started).includes('"totp"')
      ? ['the second factor of the sign-in']
      : []),
    ...(pairs.length === 0 ? ['a call that was intended and completed'] : []),
    ...(named.length === 0 ? ['the entries that the demo call names'] : []),
    ...named.filter((seq) => !entries.some((entry) => entry.seq === seq)).map((seq) => `entry ${seq} of the demo call`),
  ]
}

async function run(): Promise<ProofOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-first-run-'))
  const [gateway, admin] = await freePorts(2)
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    LANG: 'C.UTF-8',
    CASTELLAN_DATA_DIR: join(folder, 'data'),
    CASTELLAN_GATEWAY__PORT: String(gateway),
    CASTELLAN_ADMIN__PORT: String(admin),
  }
  const castellan = commandLine(env)
  const watch = createStopwatch()
  const server = startProgram(process.execPath, [launcher, 'up'], { env })
  try {
    const ready = await watch.time('start, to the set-up link', async () => {
      const [line] = await server.waitFor(/^\{.*"event":"ready".*\}$/m)
      return JSON.parse(line) as Ready
    })
    const enrolled = await watch.time('set up in the browser', () => setUpInBrowser(ready.setupUrl))
    const code = await watch.time('wait for the next code', () => nextCode(enrolled.secret, enrolled.enrolledAtMs))
    await watch.time('sign in', async () => {
      const flags = ['--name', person.name, '--password-stdin', '--code', code, '--json']
      const signedIn = await runProgram(process.execPath, [launcher, 'login', ...flags], {
        env,
        input: person.password,
      })
      if (signedIn.code !== 0) throw new Error(`castellan login ended with ${signedIn.code}: ${signedIn.output}`)
    })
    await watch.time('connect inspector', () => castellan('connect', 'inspector'))
    const { steps } = await watch.time('demo call', () => castellan<{ steps: { entry?: number }[] }>('demo', 'call'))
    const entries = await watch.time('read the ledger', () => castellan<Entry[]>('audit', 'list', '--limit', '1000'))
    const ledger = await watch.time('audit verify', () =>
      castellan<{ holds: boolean; size: number }>('audit', 'verify'),
    )
    const missing = missingFrom(entries, steps)
    const seconds = watch.total()
    if (missing.length > 0) console.log(`the ledger lacks ${missing.join(', ')}`)
    return {
      holds: seconds <= mostSeconds && ledger.holds && missing.length === 0 && enrolled.recoveryCodes === 10,
      seconds,
      mostSeconds,
      startedInMs: ready.startedInMs,
      entries: ledger.size,
      ledgerHolds: ledger.holds,
      recoveryCodes: enrolled.recoveryCodes,
      missing,
      steps: watch.seconds,
    }
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

export const proof: Proof = {
  shows: `a newcomer gets from the first command to the proved record of a call with a second factor in ${mostSeconds} s`,
  run,
}
