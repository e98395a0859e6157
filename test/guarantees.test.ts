import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findProofs, type Proof } from './architecture/proofs.ts'
import { readTree, repository } from './architecture/tree.ts'
import { controls } from './controls.ts'

interface Guarantee {
  readonly id: string
  readonly controlIds: readonly string[]
  readonly commands: readonly string[]
}

/** The rows of the page's table: id, promise, controls, commands. */
function guaranteesOf(page: string): Guarantee[] {
  return page
    .split('\n')
    .filter((line) => /^\| G\d+ \|/.test(line))
    .map((line) => {
      const [, id = '', , ids = '', commands = ''] = line.split('|').map((cell) => cell.trim())
      const quoted = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
      return { id, controlIds: quoted(ids), commands: quoted(commands) }
    })
}

/** What is wrong with a guarantee: an unknown control, one that nobody asked for under this id, a proof that is not there. */
function complaintsAbout({ id, controlIds, commands }: Guarantee, proofs: readonly Proof[]): string[] {
  const known: Readonly<Record<string, { readonly sources: readonly string[] }>> = controls
  const files = commands.flatMap((command) => [...command.matchAll(/test\/\S+\.test\.ts/g)].map(([file]) => file))
  const named = commands.flatMap((command) => /^npm run proof -- (\S+)/.exec(command)?.[1] ?? [])
  const provedThere = proofs.filter(
    (proof) => !proof.isSkipped && files.some((file) => proof.at.startsWith(`${file}:`)),
  )
  return [
    ...(commands.length === 0 ? [`${id} names no command`] : []),
    ...commands
      .filter((command) => !/^(?:npx vitest run |npm run proof -- )/.test(command))
      .map((it) => `${id}: ${it}`),
    ...files
      .filter((file) => !existsSync(join(repository, file)))
      .map((file) => `${id} names ${file}, which is not there`),
    ...named
      .filter((name) => !existsSync(join(repository, 'tools/proofs', `${name}.ts`)))
      .map((name) => `${id} names the proof ${name}, which is not there`),
    ...controlIds
      .filter((control) => known[control] === undefined)
      .map((it) => `${id} names ${it}, which is no control`),
    ...controlIds
      .filter((control) => known[control]?.sources.includes(id) === false)
      .map((control) => `${control} does not name ${id} as its source`),
    ...controlIds
      .filter((control) => !provedThere.some((proof) => proof.ids.includes(control)))
      .map((control) => `no command of ${id} proves ${control}`),
  ]
}

const page = readTree().texts.find(({ path }) => path === 'docs/guarantees.md')?.text ?? ''

test('every guarantee names controls that its own commands prove', () => {
  const proofs = findProofs(readTree().sources)
  const guarantees = guaranteesOf(page)
  expect(guarantees.length).toBeGreaterThan(0)
  expect(new Set(guarantees.map(({ id }) => id)).size).toBe(guarantees.length)
  expect(guarantees.flatMap((guarantee) => complaintsAbout(guarantee, proofs))).toEqual([])
})

test('a guarantee without its proof is named', () => {
  const proofs = [{ ids: ['AUT-1'], at: 'test/attacks/no-token.test.ts:9', isSkipped: false }]
  const [guarantee] = guaranteesOf(
    '| G2 | words | `AUT-1` `AUT-2` `XYZ-1` | `npx vitest run test/attacks/no-token.test.ts` `npm run proof -- none` `ls` |',
  )
  expect(guarantee === undefined ? [] : complaintsAbout(guarantee, proofs)).toEqual([
    'G2: ls',
    'G2 names the proof none, which is not there',
    'G2 names XYZ-1, which is no control',
    'AUT-1 does not name G2 as its source',
    'AUT-2 does not name G2 as its source',
    'no command of G2 proves AUT-2',
    'no command of G2 proves XYZ-1',
  ])
})
