import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

test('the database of Node prints no warning', () => {
  const { stdout, stderr } = launch(['version', '--json'], ['--import', 'data:text/javascript,import "node:sqlite"'])
  expect(JSON.parse(stdout)).toMatchObject({ node: process.versions.node })
  expect(stderr).toBe('')
})
