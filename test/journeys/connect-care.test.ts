import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { parse as parseToml } from 'smol-toml'
import { expect, onTestFinished, test } from 'vitest'
import { runCli } from '#cli'
import { forAllTests } from '../ending.ts'
import { cases, code, plainJson, secret } from '../world/machine/client-files.ts'
import { createTestTerminal } from '../world/terminal.ts'
import { leftovers, openHome, openStage, put, terminalOf, up } from '../world/machine/client-home.ts'

const stage = forAllTests(openStage)
const url = () => `${stage().world.gatewayUrl}/servers/books/mcp`

const broken = [
  ['cursor', '.cursor/mcp.json', '{\n  "mcpServers": {\n    "a": 1,,\n  }\n}', 3],
  ['vscode', `${code}/mcp.json`, '{ "servers": {} } trailing', 1],
  ['codex', '.codex/config.toml', 'a = 1\nb = = 2\n', 2],
  ['goose', '.config/goose/config.yaml', 'extensions:\n  a: 1\n b: 2\n', 3],
  ['zed', '.config/zed/settings.json', '{\n "context_servers": []\n}', 2],
  ['cursor', '.cursor/mcp.json', '{ "mcpServers": {}, "mcpServers": {} }', 1],
  ['cursor', '.cursor/mcp.json', '[]', 1],
] as const

test.each(broken)(
  '%s: a broken file (%s) is refused with its line and stays as it was',
  async (client, file, text, line) => {
    const { home, write } = openHome(stage())
    const path = join(home, file)
    put(path, text)
    const { code: exit, err } = await write(client)
    expect(exit).toBe(1)
    expect(err).toMatch(new RegExp(`cli\\.client-file-syntax.*line ${line}, column \\d+`))
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(leftovers(path)).toEqual([])
  },
)

test('a link to a file of the same person stays a link, and the file it leads to is written', async () => {
  const { home, run, write } = openHome(stage())
  put(join(home, 'dotfiles/cursor.json'), plainJson)
  mkdirSync(join(home, '.cursor'))
  symlinkSync('../dotfiles/cursor.json', join(home, '.cursor/mcp.json'))
  expect((await write('cursor')).code).toBe(0)
  expect(lstatSync(join(home, '.cursor/mcp.json')).isSymbolicLink()).toBe(true)
  expect(readFileSync(join(home, 'dotfiles/cursor.json'), 'utf8')).toContain('castellan-books')
  expect((await run('undo', '--yes')).code).toBe(0)
  expect(readFileSync(join(home, 'dotfiles/cursor.json'), 'utf8')).toBe(plainJson)
})

test('a project cannot have a file outside of it written: neither by a link nor through a linked folder', async () => {
  const { home, run } = openHome(stage())
  const project = join(home, 'project')
  put(join(home, '.profile'), '{}')
  mkdirSync(join(project, '.cursor'), { recursive: true })
  symlinkSync(join(home, '.profile'), join(project, '.cursor/mcp.json'))
  symlinkSync(home, join(project, '.kiro'))
  const inProject = async (client: string) => {
    const terminal = { ...terminalOf(stage(), home), workingDirectory: project }
    const argv = ['connect', client, '--upstream', 'books', '--scope', 'project', '--write', '--yes']
    return { code: await runCli(argv, { up, terminal }), err: terminal.err() }
  }
  for (const client of ['cursor', 'kiro']) {
    const refused = await inProject(client)
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('cli.client-file-elsewhere')])
  }
  expect(readFileSync(join(home, '.profile'), 'utf8')).toBe('{}')
  // In a project, the file names the variable, because others read it.
  const good = await inProject('claude-code')
  expect(good.code, good.err).toBe(0)
  const shared = readFileSync(join(project, '.mcp.json'), 'utf8')
  expect(shared).toContain('Bearer ${CASTELLAN_TOKEN}')
  expect(shared).not.toContain('cst_')
  expect((await run('undo', '--yes')).code).toBe(0)
})

test('a link to nothing, a folder, a pipe and a file that is no text are refused', async () => {
  const { home, write } = openHome(stage())
  mkdirSync(join(home, '.codeium/windsurf'), { recursive: true })
  execFileSync('mkfifo', [join(home, '.codeium/windsurf/mcp_config.json')])
  expect((await write('windsurf')).err).toContain('cli.client-file-odd')
  mkdirSync(join(home, '.cursor'))
  symlinkSync(join(home, 'nowhere.json'), join(home, '.cursor/mcp.json'))
  expect((await write('cursor')).err).toContain('cli.client-file-dangling')
  mkdirSync(join(home, '.lmstudio/mcp.json'), { recursive: true })
  expect((await write('lm-studio')).err).toMatch(/cli\.client-file-(odd|unreadable)/)
  mkdirSync(join(home, '.kiro/settings'), { recursive: true })
  writeFileSync(join(home, '.kiro/settings/mcp.json'), Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))
  expect((await write('kiro')).err).toContain('cli.client-file-encoding')
})

test('two runs at once both get their entry in, and both can be undone', async () => {
  const { home, run, world } = openHome(stage())
  const path = join(home, '.cursor/mcp.json')
  put(path, plainJson)
  for (const name of ['notes', 'files', 'mail'])
    await world.ana.api('POST', '/upstreams', { name, url: 'https://mcp.example/mcp' })
  const writeFor = (upstream: string) => run('cursor', '--upstream', upstream, '--write', '--yes')
  const runs = await Promise.all(['books', 'notes', 'files', 'mail'].map(writeFor))
  expect(
    runs.map((each) => each.code),
    runs.map((each) => each.err).join(''),
  ).toEqual([0, 0, 0, 0])
  const { mcpServers } = JSON.parse(readFileSync(path, 'utf8')) as { mcpServers: object }
  expect(Object.keys(mcpServers).toSorted()).toEqual([
    'castellan-books',
    'castellan-files',
    'castellan-mail',
    'castellan-notes',
    'other',
  ])
  for (let count = 0; count < 4; count += 1) expect((await run('undo', 'cursor', '--yes')).code).toBe(0)
  expect(readFileSync(path, 'utf8')).toBe(plainJson)
})

test('a server or bundle that is not there is told to who may know, and makes neither token nor entry', async () => {
  const { home, run, world } = openHome(stage())
  const tokens = async () => ((await world.ana.api('GET', '/tokens')).body['items'] as unknown[]).length
  const before = await tokens()
  for (const kind of ['upstream', 'bundle']) {
    const { code, err } = await run('cursor', `--${kind}`, 'nope', '--write', '--yes')
    expect([code, err]).toEqual([
      6,
      expect.stringContaining(`error[cli.no-such-${kind}]: there is no ${kind} \`nope\``),
    ])
    expect(err).toContain(`castellan ${kind} list`)
  }
  expect(existsSync(join(home, '.cursor/mcp.json'))).toBe(false)
  expect(await tokens()).toBe(before)
})

test('what was shown is what is written: a preview that no longer holds writes nothing and makes no token', async () => {
  const { home, run, world } = openHome(stage())
  const path = join(home, '.cursor/mcp.json')
  put(path, plainJson)
  const { preview } = JSON.parse((await run('cursor', '--upstream', 'books', '--json')).out) as { preview: string }
  put(path, `${plainJson}\n`)
  const tokens = async () => ((await world.ana.api('GET', '/tokens')).body['items'] as unknown[]).length
  const before = await tokens()
  const stale = await run('cursor', '--upstream', 'books', '--write', '--expect', preview)
  expect([stale.code, stale.err]).toEqual([7, expect.stringContaining('cli.client-file-changed')])
  expect(await tokens()).toBe(before)
  put(path, plainJson)
  expect((await run('cursor', '--upstream', 'books', '--write', '--expect', preview)).code).toBe(0)
})

test('a person sees the change and says yes; a file that changes while they think is not written', async () => {
  const { home } = openHome(stage())
  const path = join(home, '.cursor/mcp.json')
  put(path, plainJson)
  const terminal = terminalOf(stage(), home, true)
  const running = runCli(['connect', 'cursor', '--upstream', 'books', '--write'], { up, terminal })
  await terminal.waitFor(/make an access token/)
  expect(terminal.out()).toContain('+     "castellan-books"')
  put(path, '{}')
  terminal.type('y')
  expect(await running).toBe(7)
  expect(readFileSync(path, 'utf8')).toBe('{}')
  const again = terminalOf(stage(), home, true)
  const refused = runCli(['connect', 'cursor', '--upstream', 'books', '--write'], { up, terminal: again })
  await again.waitFor(/make an access token/)
  again.type('n')
  expect(await refused).toBe(1)
  expect(readFileSync(path, 'utf8')).toBe('{}')
})

test('without a terminal and without --yes nothing is written', async () => {
  const { home, run } = openHome(stage())
  const { code: exit, err } = await run('cursor', '--upstream', 'books', '--write')
  expect([exit, err]).toEqual([1, expect.stringContaining('cli.confirmation-needed')])
  expect(existsSync(join(home, '.cursor'))).toBe(false)
})

test('a file that was changed since is not given back; what differs is named without its values', async () => {
  const { home, run, write } = openHome(stage())
  const path = join(home, '.cursor/mcp.json')
  put(path, plainJson)
  await write('cursor')
  const changed = readFileSync(path, 'utf8').replace('"dark"', `"${secret}-2"`)
  writeFileSync(path, changed)
  const refused = await run('undo', 'cursor', '--yes')
  expect([refused.code, refused.err]).toEqual([7, expect.stringMatching(/differs: theme, mcpServers\.castellan-books/)])
  expect(refused.err).not.toContain(secret)
  expect(readFileSync(path, 'utf8')).toBe(changed)
  expect((await run('undo', 'zed', '--yes')).code).toBe(6)
})

test('a token in a file that others can read is warned about, and undo ends the token', async () => {
  const { home, run, write, world } = openHome(stage())
  put(join(home, '.cursor/mcp.json'), plainJson, 0o644)
  const written = await write('cursor', '--json')
  const { tokenId, warnings } = JSON.parse(written.out) as { tokenId: string; warnings: string[] }
  expect(warnings).toEqual([expect.stringContaining('chmod 600')])
  expect(written.out).not.toContain('cst_')
  const stateOf = async () => {
    const { body } = await world.ana.api('GET', '/tokens')
    return (body['items'] as { id: string; revokedAt: string | null }[]).find(({ id }) => id === tokenId)?.revokedAt
  }
  expect(await stateOf()).toBeNull()
  expect((await run('undo', '--yes')).code).toBe(0)
  expect(await stateOf()).not.toBeNull()
})

test('what is written for Claude Desktop starts, and reaches the gateway with the token of its own file', async () => {
  const { home, write } = openHome(stage())
  expect((await write('claude-desktop')).code).toBe(0)
  const text = readFileSync(join(home, '.config/Claude/claude_desktop_config.json'), 'utf8')
  expect(text).not.toContain('cst_')
  const { mcpServers } = JSON.parse(text) as { mcpServers: Record<string, { command: string; args: string[] }> }
  const started = mcpServers['castellan-books']
  if (started === undefined) throw new Error('there is no entry')
  const client = new Client({ name: 'claude-ai', version: '1' })
  await client.connect(new StdioClientTransport({ ...started, env: { HOME: home }, stderr: 'pipe' }))
  onTestFinished(() => client.close())
  expect((await client.listTools()).tools.map((tool) => tool.name)).toContain('echo')
})

test('with --bridge a client that could speak HTTP starts the bridge, and changes back without a rest', async () => {
  const { home, write } = openHome(stage())
  const path = join(home, '.cursor/mcp.json')
  put(path, plainJson)
  const entry = () =>
    (JSON.parse(readFileSync(path, 'utf8')) as { mcpServers: Record<string, object> }).mcpServers['castellan-books']
  expect((await write('cursor', '--bridge')).code).toBe(0)
  expect(entry()).toEqual({
    command: process.execPath,
    args: expect.arrayContaining(['bridge', url(), '--token-file']),
  })
  expect((await write('cursor')).code).toBe(0)
  expect(entry()).toEqual({ url: url(), headers: { Authorization: expect.stringMatching(/^Bearer cst_/) } })
})

test('the bridge of somebody who is signed in makes a token of its own and ends it; a stranger is told to sign in', async () => {
  const { home, world } = openHome(stage())
  const message = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
  }
  const bridge = async (owner: string) => {
    const { environment } = terminalOf(stage(), owner)
    const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined)
    const stdin = `${JSON.stringify(message)}\n`
    const terminal = createTestTerminal({
      home: owner,
      stdin,
      nowMs: world.clock.now(),
      environment: Object.fromEntries(given),
    })
    return { code: await runCli(['bridge', url()], { up, terminal }), out: terminal.out(), err: terminal.err() }
  }
  const bridged = await bridge(home)
  expect([bridged.code, JSON.parse(bridged.out)]).toEqual([
    0,
    expect.objectContaining({ id: 1, result: expect.anything() }),
  ])
  const { body } = await world.ana.api('GET', '/tokens')
  const made = (body['items'] as { label: string; revokedAt: string | null }[]).filter(({ label }) =>
    label.startsWith('castellan bridge'),
  )
  expect(made).toEqual([expect.objectContaining({ revokedAt: expect.any(String) })])
  const stranger = await bridge(join(home, 'nobody'))
  expect([stranger.code, stranger.out]).toEqual([3, ''])
  expect(stranger.err).toContain('cli.not-signed-in')
})

test('every client is listed with what is here, and printing gives what to paste without writing', async () => {
  const { home, run } = openHome(stage())
  put(join(home, '.cursor/mcp.json'), '{ "mcpServers": { "castellan": {}, "x": {} } }')
  put(join(home, '.kiro/settings/mcp.json'), '{')
  mkdirSync(join(home, '.codex'))
  const listed = JSON.parse((await run('--list', '--json')).out) as {
    client: string
    found: string
    entries: string[]
  }[]
  const found = Object.fromEntries(listed.map((each) => [each.client, each.found]))
  expect(found).toMatchObject({ cursor: 'file', kiro: 'broken', codex: 'installed', zed: 'no', 'claude-ai': 'no' })
  expect(Object.keys(found)).toHaveLength(cases.length + 1)
  expect(listed.find((each) => each.client === 'cursor')?.entries).toEqual(['castellan'])
  const printed = JSON.parse((await run('codex', '--upstream', 'books', '--print', '--json')).out) as Record<
    string,
    string
  >
  expect(parseToml(printed['text'] ?? '')).toMatchObject({ mcp_servers: { 'castellan-books': { url: url() } } })
  expect(existsSync(join(home, '.codex/config.toml'))).toBe(false)
  const byCommand = await run('inspector', '--upstream', 'books')
  expect(byCommand.out).toMatch(/^npx @modelcontextprotocol\/inspector .*--header "Authorization: Bearer cst_/)
  expect((await run('claude-ai')).all).toContain('cannot reach this gateway')
  expect((await run('emacs')).err).toContain('cli.unknown-client')
})

test('links that open a client hold no token', async () => {
  const { run } = openHome(stage())
  for (const client of ['cursor', 'vscode']) {
    const { link } = JSON.parse((await run(client, '--upstream', 'books', '--json')).out) as { link: string }
    expect(link).toMatch(/^(cursor|vscode):/)
    expect(decodeURIComponent(link)).not.toContain('cst_')
    expect(decodeURIComponent(link)).toContain(client === 'vscode' ? url() : 'config=')
  }
})
