import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { readTree, repository } from './architecture/tree.ts'

const pages = readTree().texts.filter(({ path }) => path.endsWith('.md'))

test('every link to a file of the repository leads somewhere', () => {
  const broken = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !existsSync(join(repository, dirname(path), target)))
      .map((target) => `${path} links to ${target}`),
  )
  expect(broken).toEqual([])
})

test('every decision tells its context, itself, its consequence and what enforces it', () => {
  const decisions = pages.filter(({ path }) => /^docs\/decisions\/\d{4}-/.test(path))
  expect(decisions.length).toBeGreaterThan(0)
  const list = pages.find(({ path }) => path === 'docs/decisions/README.md')?.text ?? ''
  for (const { path, text } of decisions) {
    for (const part of ['Context', 'Decision', 'Consequence', 'Enforced by']) {
      expect(text, path).toContain(`**${part}.**`)
    }
    expect(list).toContain(path.replace('docs/decisions/', ''))
  }
})
