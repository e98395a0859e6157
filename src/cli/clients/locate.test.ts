import { expect, test } from 'vitest'
import { clientTable } from './client-table.ts'
import { expand, locate, shortPath, systemOf, type Machine } from './locate.ts'
import { isLoopbackUrl, isPrivateUrl } from './reach.ts'

function machine(system: Machine['system'], environment: Record<string, string> = {}): Machine {
  return { system, home: '/home/ana', workingDirectory: '/home/ana/project', environment }
}

test.each([
  ['linux', '/home/ana/.config/Claude/claude_desktop_config.json'],
  ['darwin', '/home/ana/Library/Application Support/Claude/claude_desktop_config.json'],
  ['win32', '/home/ana/AppData/Roaming/Claude/claude_desktop_config.json'],
] as const)('on %s Claude Desktop keeps its servers in %s', (system, path) => {
  const place = clientTable['claude-desktop']?.place
  expect(place === undefined ? undefined : locate(place, 'user', machine(system))?.path).toBe(path)
})

test('the folders that a machine names itself are used, and paths that are not absolute are not', () => {
  expect(expand('$CONFIG/x', machine('linux', { XDG_CONFIG_HOME: '/etc/mine' }))).toBe('/etc/mine/x')
  expect(expand('$CONFIG/x', machine('linux', { XDG_CONFIG_HOME: 'mine' }))).toBe('/home/ana/.config/x')
  expect(expand('$APPDATA/x', machine('win32', { APPDATA: '/roaming' }))).toBe('/roaming/x')
  expect(expand('~/x', machine('darwin'))).toBe('/home/ana/x')
  expect(['linux', 'freebsd', 'darwin', 'win32'].map(systemOf)).toEqual(['linux', 'linux', 'darwin', 'win32'])
  expect([shortPath('/home/ana/x', '/home/ana'), shortPath('/home/anabel', '/home/ana')]).toEqual([
    '~/x',
    '/home/anabel',
  ])
})

test('every client of the table with a file has one on every system, and one way to be told at least', () => {
  for (const [name, { place, http, stdio, reach }] of Object.entries(clientTable)) {
    if (place === undefined) {
      expect(reach, name).toBe('public')
      continue
    }
    for (const system of ['linux', 'darwin', 'win32'] as const) {
      expect(locate(place, 'user', machine(system))?.path, name).toMatch(/^\/home\/ana\/.*\.(json|yaml|toml)$/)
    }
    expect(stdio, name).toBeDefined()
    expect(http !== undefined || reach === 'bridge', name).toBe(true)
    const isReferred = Object.values(http?.token ?? {}).some((way) => way !== 'literal')
    expect(isReferred, name).toBe(http?.reference !== undefined || http?.variableField !== undefined)
  }
})

test.each([
  ['http://localhost:8090/mcp', true, true],
  ['http://127.0.0.2/mcp', true, true],
  ['http://[::1]:8090/mcp', true, true],
  ['https://10.1.2.3/mcp', false, true],
  ['https://172.20.0.1/mcp', false, true],
  ['https://[fd00::1]/mcp', false, true],
  ['https://gateway/mcp', false, true],
  ['https://gw.corp.internal/mcp', false, true],
  ['https://172.32.0.1/mcp', false, false],
  ['https://gw.acme.com/mcp', false, false],
  ['https://localhost.acme.com/mcp', false, false],
])('%s: this machine %s, private %s', (url, isThisMachine, isPrivate) => {
  expect([isLoopbackUrl(url), isPrivateUrl(url)]).toEqual([isThisMachine, isPrivate])
})
