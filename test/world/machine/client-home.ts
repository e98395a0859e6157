import { chmodSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runCli } from '#cli'
import { startWorld, type World } from '../castellan.ts'
import { temporaryFolder } from '../folder.ts'
import { createTestTerminal, type TestTerminal } from '../terminal.ts'

/** A gateway and somebody who is signed in at it. */
export interface Stage {
  readonly world: World
  /** A file with ana's sign-in, to be copied into a home. */
  readonly session: string
}

export const up = () => Promise.reject(new Error('it is up'))

export function terminalOf({ world }: Stage, home: string, hasPerson = false): TestTerminal {
  const environment = { CASTELLAN_ADMIN__PUBLIC_URL: world.adminUrl, CASTELLAN_DATA_DIR: world.dataDir }
  return createTestTerminal({ home, hasPerson, environment, nowMs: world.clock.now(), columns: 100 })
}

/** Starts a gateway and signs its administrator in on the command line. */
export async function openStage(): Promise<Stage> {
  const world = await startWorld()
  const home = temporaryFolder()
  const argv = ['login', '--name', 'ana', '--password-stdin', '--code', world.ana.nextCode()]
  const terminal = createTestTerminal({
    home,
    stdin: world.ana.password,
    nowMs: world.clock.now(),
    environment: { CASTELLAN_ADMIN__PUBLIC_URL: world.adminUrl, CASTELLAN_DATA_DIR: world.dataDir },
  })
  if ((await runCli(argv, { up, terminal })) !== 0) throw new Error(terminal.err())
  return { world, session: join(home, '.config/castellan/session.json') }
}

/** Somebody's machine, with a home folder of its own, signed in. */
export function openHome(stage: Stage) {
  const { world, session } = stage
  const home = temporaryFolder()
  mkdirSync(join(home, '.config/castellan'), { recursive: true })
  copyFileSync(session, join(home, '.config/castellan/session.json'))
  const run = async (...argv: string[]) => {
    const terminal = terminalOf(stage, home)
    const code = await runCli(['connect', ...argv], { up, terminal })
    return { code, out: terminal.out(), err: terminal.err(), all: terminal.out() + terminal.err() }
  }
  const write = (client: string, ...more: string[]) => run(client, '--upstream', 'books', '--write', '--yes', ...more)
  return { world, home, run, write }
}

/** A file that somebody has. */
export function put(path: string, text: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
}

/** Backups, locks and drafts that lie beside a file. */
export function leftovers(path: string): string[] {
  return readdirSync(dirname(path)).filter((name) => name.includes('castellan-'))
}
