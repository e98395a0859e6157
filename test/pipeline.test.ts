import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { mutantsOf } from '../tools/mutants.ts'
import { readTree, repository } from './architecture/tree.ts'

const path = 'src/gateway/pipeline.ts'
const text = readFileSync(join(repository, path), 'utf8')
const mutants = mutantsOf(path, text)

function camelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

/** Guards that stand beside what they ask about. */
const elsewhere = ['aggregate/resolve-member', 'aggregate/resolve-members', 'flow/read-consents', 'flow/read-labels']

test('every guard in the guards folder stands in the pipeline, and nothing else does', () => {
  const files = readTree()
    .paths.filter((each) => each.startsWith('src/gateway/guards/') && !each.endsWith('.test.ts'))
    .concat(elsewhere)
    .map((each) => camelCase(basename(each, '.ts')))
  expect([...new Set(mutants.map((mutant) => mutant.guard))].sort()).toEqual(files.sort())
})

test('each line of the pipeline can be deleted by itself, for the mutation proof', () => {
  expect(mutants).toHaveLength(text.split('.must(').length - 1)
  for (const mutant of mutants) {
    const rest = mutantsOf(path, mutant.text).map((each) => `${each.list} ${each.guard}`)
    const all = mutants.map((each) => `${each.list} ${each.guard}`)
    const [deleted] = all.splice(mutants.indexOf(mutant), 1)
    expect(rest).toEqual(all)
    expect(deleted).toBe(`${mutant.list} ${mutant.guard}`)
  }
})

test('the first questions are from where, how often and who is asking', () => {
  expect(mutants.slice(0, 5).map((mutant) => `${mutant.list}.${mutant.guard}`)).toEqual([
    'doorway.admitAddress',
    'doorway.admitOrigin',
    'doorway.spendRate',
    'entrance.authenticateCaller',
    'entrance.spendRate',
  ])
})

test('every exchange passes the doorway first', () => {
  expect(text).toMatch(/const entrance = checklist<Start>\(\)\s+\.mustAll\(doorway\)/)
})

test('in every list the intent is recorded directly before the upstream is contacted', () => {
  const forwards = mutants.flatMap((mutant, index) => (mutant.guard === 'forward' ? [index] : []))
  expect(forwards.length).toBeGreaterThan(0)
  for (const index of forwards) {
    expect(mutants[index - 1]).toMatchObject({ guard: 'recordIntent', list: mutants[index]?.list })
  }
})
