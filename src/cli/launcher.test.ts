import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))

function launch(args: string[], flags: string[] = []) {
  return spawnSync(process.execPath, [...flags, launcher, ...args], { encoding: 'utf8' })
}

test.each([
  ['24.6.9', 1],
  ['20.20.2', 1],
  ['24.7.0', 0],
  ['25.0.0', 0],
])('under Node %s the launcher ends with %i', (version, code) => {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-launcher-'))
  const pretend = join(folder, 'pretend.cjs')
  writeFileSync(pretend, `Object.defineProperty(process.versions, 'node', { value: '${version}' })`)
  const { status, stderr } = launch(['version'], ['--require', pretend])
  rmSync(folder, { recursive: true })
  expect(status).toBe(code)
  const lines = `error[cli.node-too-old]: castellan needs Node 24.7 or newer; this is ${version}`
  expect(stderr.split('\n')[0]).toBe(code === 1 ? lines : '')
})

test('what is too old says so as JSON where JSON was asked for', () => {
  const pretend = 'Object.defineProperty(process.versions, "node", { value: "22.1.0" })'
  const { status, stdout, stderr } = launch(['up', '--json'], ['--import', `data:text/javascript,${pretend}`])
  expect([status, stdout]).toEqual([1, ''])
  expect(JSON.parse(stderr)).toEqual({
    error: {
      code: 'cli.node-too-old',
      message: 'castellan needs Node 24.7 or newer; this is 22.1.0',
      hint: expect.stringContaining('install Node 24'),
    },
  })
})

test('nothing is imported, and nothing newer than Node 12 is written, before the version was looked at', () => {
  const text = readFileSync(launcher, 'utf8').replaceAll(/^\/\/.*$/gm, '')
  expect(text).not.toMatch(/^import\s*[^(]|\bawait\b|\?\.|\?\?|=>|`.*\$\{/m)
  expect(text.indexOf('import(')).toBeGreaterThan(text.indexOf('process.exit(1)'))
})

/** Other Nodes on this machine, by the path of commands. */
const others = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .filter((path) => existsSync(path))
  .map((path) => ({
    path,
    version: spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout.trim(),
  }))
  .filter(({ version }) => /^(1[2-9]|2[0-3])\./.test(version))

test('a Node of this machine that is too old says so and ends with 1', (context) => {
  context.skip(others.length === 0, 'no Node older than 24 is installed beside the one from the lock file')
  for (const { path, version } of others) {
    const { status, stdout, stderr } = spawnSync(path, [launcher, 'version'], { encoding: 'utf8' })
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^error\[cli\.node-too-old\]: [^\n]*\n  hint: [^\n]*\n$/)
    expect(stderr).toContain(`this is ${version}`)
  }
})

test('the database of Node prints no warning', () => {
  const { stdout, stderr } = launch(['version', '--json'], ['--import', 'data:text/javascript,import "node:sqlite"'])
  expect(JSON.parse(stdout)).toMatchObject({ node: process.versions.node })
  expect(stderr).toBe('')
})
