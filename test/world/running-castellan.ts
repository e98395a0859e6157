import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createTestClock } from './clock.ts'
import { enrol, type Answer, type Person } from './people.ts'
import { freePorts, type Program, startProgram } from './program.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))
const stepMs = 30_000

/** `castellan up` as its own process, with an administrator, as an operator would have it. */
export interface RunningCastellan {
  readonly program: Program
  readonly gatewayUrl: string
  readonly adminUrl: string
  readonly folder: string
  readonly dataDir: string
  readonly env: NodeJS.ProcessEnv
  /** The administrator, signed in. */
  readonly ana: Person
  /** Adds an upstream by its URL or command, approves all its tools and gives ana a token for it. */
  addUpstream(name: string, place: string | readonly string[]): Promise<string>
  /** Invites and enrols someone with these roles. */
  join(name: string, roles: readonly string[]): Promise<Person>
  /** Ends the process and removes its folder. */
  end(): Promise<void>
}

/** Limits that no load of a proof reaches. */
export const generousLimits: NodeJS.ProcessEnv = {
  CASTELLAN_LIMITS__REQUESTS_PER_MINUTE_PER_ADDRESS: '1000000',
  CASTELLAN_LIMITS__REQUESTS_PER_MINUTE_PER_PRINCIPAL: '1000000',
  CASTELLAN_UPSTREAMS__BREAKER_FAILURES: '1000000',
}

async function must(what: string, answer: Promise<Answer>): Promise<void> {
  const { status, body } = await answer
  if (status >= 300) throw new Error(`${what}: ${status} ${JSON.stringify(body)}`)
}

/** Codes of the step before and of this one are both accepted, so that nobody waits for the next; not at its end. */
async function clockOfCodes() {
  const leftMs = stepMs - (Date.now() % stepMs)
  if (leftMs < 6_000) await sleep(leftMs + 100)
  return createTestClock(Date.now() - 2 * stepMs)
}

/** @param more variables of the environment on top of generous limits */
export async function runCastellan(more: NodeJS.ProcessEnv = {}): Promise<RunningCastellan> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-'))
  const [gateway, admin] = await freePorts(2)
  const dataDir = join(folder, 'data')
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    LANG: 'C.UTF-8',
    CASTELLAN_DATA_DIR: dataDir,
    CASTELLAN_GATEWAY__PORT: String(gateway),
    CASTELLAN_ADMIN__PORT: String(admin),
    CASTELLAN_DEMO: 'false',
    ...generousLimits,
    ...more,
  }
  const program = startProgram(process.execPath, [launcher, 'up'], { env })
  const end = async (): Promise<void> => {
    await program.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const [line] = await program.waitFor(/^\{.*"event":"ready".*\}$/m)
    const { setupUrl } = JSON.parse(line) as { setupUrl: string }
    const places = { gatewayUrl: `http://localhost:${gateway}`, adminUrl: `http://localhost:${admin}` }
    const ana = await enrol({ ...places, clock: await clockOfCodes() }, setupUrl.split('#')[1] ?? '', 'ana')
    return {
      ...places,
      program,
      folder,
      dataDir,
      env,
      ana,
      async addUpstream(name, place) {
        const at = typeof place === 'string' ? { url: place } : { command: place }
        await must('add', ana.api('POST', '/upstreams', { name, ...at }))
        await must('review', ana.api('POST', `/upstreams/${name}/review`, {}))
        await must('approve', ana.api('POST', `/upstreams/${name}/tools/approve`, { tools: 'all' }))
        return ana.mint(name)
      },
      async join(name, roles) {
        const { body } = await ana.api('POST', '/people', { name, roles })
        return enrol({ ...places, clock: await clockOfCodes() }, String(body['token']), name)
      },
      end,
    }
  } catch (error) {
    await end()
    throw error
  }
}
