/**
 * A repository that somebody cloned brings configuration folders of MCP clients along, in which links lead to files of the
 * person's home. Connecting a client in that project would write an entry, a token with it, where the link leads, and a
 * file that holds something else would tell its content in the preview.
 */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { runCli } from '#cli'
import { proves } from '../proves.ts'
import { forAllTests } from '../ending.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { temporaryFolder } from '../world/folder.ts'
import { createTestTerminal } from '../world/terminal.ts'

const up = () => Promise.reject(new Error('it is up'))
const secret = 'do-not-show-this'
const theWorld = forAllTests(() => startWorld())

async function signIn(world: World, home: string) {
  const environment = { CASTELLAN_ADMIN__PUBLIC_URL: world.adminUrl, CASTELLAN_DATA_DIR: world.dataDir }
  const run = async (workingDirectory: string, argv: string[], stdin = '') => {
    const terminal = createTestTerminal({ home, environment, stdin, nowMs: world.clock.now() })
    const code = await runCli(argv, { up, terminal: { ...terminal, workingDirectory } })
    return { code, all: terminal.out() + terminal.err() }
  }
  const { name, password } = world.ana
  await run(home, ['login', '--name', name, '--password-stdin', '--code', world.ana.nextCode()], password)
  return run
}

const planted: [title: string, client: string, plant: (home: string, project: string) => void][] = [
  [
    'a link in the place of the file',
    'cursor',
    (home, project) => {
      mkdirSync(join(project, '.cursor'))
      symlinkSync(join(home, '.profile.json'), join(project, '.cursor/mcp.json'))
    },
  ],
  [
    'a link in the place of the folder',
    'kiro',
    (home, project) => {
      mkdirSync(join(home, 'elsewhere/settings'), { recursive: true })
      symlinkSync(join(home, 'elsewhere'), join(project, '.kiro'))
    },
  ],
  [
    'a link to a link',
    'claude-code',
    (home, project) => {
      symlinkSync(join(home, '.profile.json'), join(project, 'harmless.json'))
      symlinkSync('harmless.json', join(project, '.mcp.json'))
    },
  ],
]

for (const [title, client, plant] of planted) {
  proves('CLI-1', `a project cannot have files outside of it written: ${title}`, async () => {
    const world = theWorld()
    const home = temporaryFolder()
    const project = join(home, 'cloned')
    mkdirSync(project)
    const profile = join(home, '.profile.json')
    writeFileSync(profile, `{ "key": "${secret}" }`)
    plant(home, project)
    const run = await signIn(world, home)
    for (const more of [[], ['--write', '--yes']]) {
      const { code, all } = await run(project, [
        'connect',
        client,
        '--upstream',
        'books',
        '--scope',
        'project',
        ...more,
      ])
      expect(code).toBe(1)
      expect(all).toContain('cli.client-file-elsewhere')
      expect(all).not.toContain(secret)
    }
    expect(readFileSync(profile, 'utf8')).toBe(`{ "key": "${secret}" }`)
    expect(readdirSync(dirname(profile)).filter((name) => name.includes('castellan-'))).toEqual([])
    const inside = readdirSync(project, { recursive: true }).map(String)
    expect(inside.filter((name) => name.includes('castellan'))).toEqual([])
    const events = (await world.ledger()).map(({ event }) => event)
    expect(events).not.toContain('token.minted')
    expect(world.books.calls()).toEqual([])
  })
}
