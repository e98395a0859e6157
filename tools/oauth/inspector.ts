/** The Inspector on the command line, with its own OAuth: it prints where its person has to go, and waits for the answer. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, type Program, startProgram } from '../../test/world/program.ts'
import { inspectorCli } from '../../test/world/servers/peers.ts'
import { type Cells, must } from './cells.ts'
import type { Stage } from './stage.ts'
import { type Known, mustBeKnown, type Way, ways } from './ways.ts'

const name = 'Inspector CLI'
const patienceMs = 30_000
const list = ['--method', 'tools/list']
const call = ['--method', 'tools/call', '--tool-name', 'echo']

interface Home {
  readonly folder: string
  readonly redirectUri: string
  readonly known: Known
}

function start({ url, castellan }: Stage, { folder, redirectUri, known }: Home, args: readonly string[]): Program {
  const ids = known.id === undefined ? [] : ['--client-id', known.id]
  const documents = known.documentUrl === undefined ? [] : ['--client-metadata-url', known.documentUrl]
  const place = [url.href, '--transport', 'http', '--protocol-era', 'legacy', '--callback-url', redirectUri]
  // WHY: without a terminal it asks nobody unless it is told that it may open a browser; this one does nothing.
  const quiet = {
    MCP_AUTO_OPEN_ENABLED: 'true',
    BROWSER: '/bin/true',
    MCP_INSPECTOR_SECRET_STORE: 'file',
    LANG: 'C.UTF-8',
  }
  const env = { PATH: castellan.env['PATH'] ?? '', HOME: folder, ...quiet }
  return startProgram(process.execPath, [inspectorCli, '--cli', ...place, ...ids, ...documents, ...args], { env })
}

async function endOf(program: Program): Promise<string> {
  const code = await program.ended
  must(code === 0, `it ended with ${code}: ${program.output().slice(-600)}`)
  return program.output()
}

/** Asks until its person is needed, and does that person's part. @returns the address of the request */
async function letIn({ castellan, consent }: Stage, program: Program): Promise<string> {
  const address = new RegExp(`${castellan.gatewayUrl}/oauth/authorize\\?\\S+(?=\\s)`)
  const [asked] = await program.waitFor(address, patienceMs)
  await consent(asked)
  must((await endOf(program)).includes('echo'), `it lists no echo: ${program.output().slice(-600)}`)
  return asked
}

/** Lists and calls with what it kept, without asking anybody. */
async function mustServe(stage: Stage, home: Home): Promise<void> {
  const listed = await endOf(start(stage, home, [...list, '--stored-auth-only']))
  must(listed.includes('echo'), `it lists no echo: ${listed.slice(-600)}`)
  const called = await endOf(start(stage, home, [...call, '--stored-auth-only']))
  must(called.includes('content'), `no content: ${called.slice(-600)}`)
}

async function walk(stage: Stage, cells: Cells, way: Way): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-inspector-'))
  const [port] = await freePorts(1)
  const redirectUri = `http://127.0.0.1:${port}/oauth/callback`
  let first: Program | undefined
  try {
    const known = await way.prepare(stage, redirectUri)
    const home = { folder, redirectUri, known }
    await cells.step(name, `${way.name}; its person says yes in the browser, and it lists`, async () => {
      first = start(stage, home, list)
      await mustBeKnown(stage, way, await letIn(stage, first), known)
    })
    await cells.step(name, `${way.name}: started again, it lists and calls, and asks nobody`, () =>
      mustServe(stage, home),
    )
  } finally {
    await first?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function runInspector(stage: Stage, cells: Cells): Promise<void> {
  for (const way of Object.values(ways)) await walk(stage, cells, way)
}
