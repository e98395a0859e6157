import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** The compiler's complaints about one file, each as `line: message`. */
function complaintsAbout(file: string): string[] {
  const run = spawnSync('tsc', ['-p', 'test/types/tsconfig.json', '--pretty', 'false'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` },
  })
  const lines = run.stdout.split('\n').filter((line) => !line.startsWith(' '))
  return lines
    .map((line) => /^(.+?)\((\d+),\d+\): error \w+: (.*)$/.exec(line))
    .filter((found) => found !== null)
    .filter((found) => found[1]?.endsWith(file) === true)
    .map((found) => `${found[2] ?? ''}: ${found[3] ?? ''}`)
}

test('a guard placed before the one that learns what it needs does not compile', () => {
  const complaints = complaintsAbout('wrong-order.fixture.ts')
  expect(complaints).toHaveLength(1)
  expect(complaints[0]).toMatch(/^11: .*MisplacedGuard<"name">/)
})

test('a guard that would overwrite a known fact does not compile', () => {
  const complaints = complaintsAbout('overwriting.fixture.ts')
  expect(complaints).toHaveLength(1)
  expect(complaints[0]).toMatch(/^11: .*OverwritingGuard<"name">/)
})

test('a responder given an answer that was not inspected does not compile', () => {
  const complaints = complaintsAbout('uninspected.fixture.ts')
  expect(complaints.length).toBeGreaterThan(0)
  expect(complaints.every((complaint) => complaint.startsWith('10: '))).toBe(true)
})
