import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { findRefused, mutated } from './compiles.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const at = (line: number, column: number, end: number) => ({ start: { line, column }, end: { line, column: end } })

function plant(files: Readonly<Record<string, string>>): string {
  const tree = mkdtempSync(join(tmpdir(), 'castellan-compiles-'))
  onTestFinished(() => rmSync(tree, { recursive: true, force: true }))
  mkdirSync(join(tree, 'src'))
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  writeFileSync(join(tree, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(tree, 'tsconfig.json'), readFileSync(join(root, 'tsconfig.json')))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(tree, name), text)
  return tree
}

test('a mutant stands in the place of what it replaces, also over lines', () => {
  expect(mutated('a\nlet b = 1\n', { replacement: '22', location: at(2, 9, 10) })).toBe('a\nlet b = 22\n')
  const over = { start: { line: 1, column: 2 }, end: { line: 3, column: 1 } }
  expect(mutated('ab\ncd\nef', { replacement: '-', location: over })).toBe('a-ef')
  expect(mutated('ab', { location: at(1, 1, 3) })).toBe('')
})

test('what the compiler refuses is found, for its own fault alone, and the tree is left as it was', async () => {
  const one = 'export const size: number = 1\nexport const other: string = "b"\n'
  const two = 'import { size } from "./one.ts"\nexport const twice: number = size * 2\n'
  const tree = plant({ 'src/one.ts': one, 'src/two.ts': two })
  const fine = { path: 'src/one.ts', replacement: '2', location: at(1, 29, 30) }
  const wrong = { path: 'src/one.ts', replacement: '{}', location: at(2, 30, 33) }
  const renamed = { path: 'src/one.ts', replacement: 'large', location: at(1, 14, 18) }
  const elsewhere = { path: 'src/two.ts', replacement: '3', location: at(2, 37, 38) }
  expect(await findRefused(tree, [renamed, fine, wrong, elsewhere])).toEqual(new Set([wrong]))
  expect([readFileSync(join(tree, 'src/one.ts'), 'utf8'), readFileSync(join(tree, 'src/two.ts'), 'utf8')]).toEqual([
    one,
    two,
  ])
  expect(await findRefused(tree, [])).toEqual(new Set())
})
