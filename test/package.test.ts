import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { build } from '../tools/build.ts'
import { repository } from './architecture/tree.ts'
import { freePorts, runProgram, startProgram, waitForStatus } from './world/program.ts'

const room = mkdtempSync(join(tmpdir(), 'castellan-package-'))
const home = join(room, 'home')
const empty = join(room, 'empty')

/** What a machine may need to reach the registry of packages. */
const wayOut = Object.entries(process.env).filter(([name]) => /^(NODE_EXTRA_CA_CERTS|(HTTPS?|NO)_PROXY)$/i.test(name))

/** The machine of somebody who has Node 24 and npm, and never saw this repository. */
const environment: NodeJS.ProcessEnv = {
  PATH: [join(process.execPath, '..'), process.env.PATH ?? ''].join(delimiter),
  HOME: home,
  LANG: 'C.UTF-8',
  ...Object.fromEntries(wayOut),
  npm_config_cache: process.env.npm_config_cache ?? join(process.env.HOME ?? '', '.npm'),
  npm_config_userconfig: process.env.npm_config_userconfig ?? join(process.env.HOME ?? '', '.npmrc'),
}

async function npm(...args: string[]): Promise<string> {
  const { code, output } = await runProgram('npm', args, { cwd: empty, env: environment })
  if (code !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${output}`)
  return output
}

beforeAll(async () => {
  mkdirSync(home)
  mkdirSync(empty)
  build(join(room, 'dist'))
  const packed = await npm('pack', join(room, 'dist'), '--pack-destination', empty, '--silent')
  const tarball = /castellan-[\w.-]+\.tgz/.exec(packed)?.[0]
  if (tarball === undefined) throw new Error(`npm pack printed no tarball: ${packed}`)
  await npm('init', '--yes')
  await npm('install', `./${tarball}`, '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund')
}, 600_000)

afterAll(() => {
  rmSync(room, { recursive: true, force: true })
})

test('the packed tarball runs from an empty folder as `npx castellan`', async () => {
  const { code, output, stdout } = await runProgram('npx', ['castellan', 'version', '--json'], {
    cwd: empty,
    env: environment,
  })
  expect(code, output).toBe(0)
  const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string }
  expect(JSON.parse(stdout)).toMatchObject({ version: manifest.version })
}, 60_000)

test('the packed tarball starts, becomes ready, prints the set-up link and stops', async () => {
  const [gateway, admin] = await freePorts(2)
  const program = startProgram('npx', ['castellan', 'up'], {
    cwd: empty,
    env: {
      ...environment,
      CASTELLAN_DATA_DIR: join(room, 'data'),
      CASTELLAN_GATEWAY__PORT: String(gateway),
      CASTELLAN_ADMIN__PORT: String(admin),
    },
  })
  try {
    await program.waitFor(/\/setup#\S+/, 60_000)
    await waitForStatus(`http://localhost:${admin}/readyz`, 200)
    await waitForStatus(`http://localhost:${gateway}/servers/notes/mcp`, 401)
  } finally {
    await program.stop()
  }
  expect(program.output()).not.toMatch(/warning|error\[/i)
  await expect(fetch(`http://localhost:${admin}/livez`)).rejects.toThrow()
}, 120_000)

test('the package holds no tests or TypeScript, and of the tools what an auditor needs', () => {
  const listing = spawnSync('find', ['.', '-type', 'f'], {
    cwd: join(empty, 'node_modules', 'castellan'),
    encoding: 'utf8',
  })
  const files = listing.stdout.trim().split('\n')
  expect(files).toEqual(expect.arrayContaining(['./LICENSE', './examples/notes-server/notes-server.js']))
  expect(files.filter((path) => /\.ts$|\.test\.|^\.\/(test|tools|bench)\//.test(path))).toEqual([
    './tools/verify-ledger.py',
  ])
})

function nodesOnThisMachine(): string[] {
  const found = spawnSync('which', ['-a', 'node'], { encoding: 'utf8', env: { PATH: process.env.PATH ?? '' } })
  return found.stdout.trim().split('\n').filter(Boolean)
}

const oldNode = nodesOnThisMachine().find((node) => {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout
  return Number(/^v(\d+)/.exec(version)?.[1] ?? 99) < 24
})

test('an older Node gets one clear sentence', async (context) => {
  context.skip(oldNode === undefined, 'no Node older than 24 is installed beside the one from the lock file')
  const launcher = join(empty, 'node_modules', 'castellan', 'bin', 'castellan.js')
  const { code, output } = await runProgram(oldNode ?? '', [launcher, 'up'], { cwd: empty, env: environment })
  expect(code).toBe(1)
  expect(output).toMatch(/^error\[cli\.node-too-old\]: castellan needs Node 24\.7 or newer; this is [\d.]+\n/)
  expect(output).not.toContain('    at ')
})
