/**
 * Which mutants does the compiler refuse? Nobody could ship one of them, so they are no part of the score.
 * @see stryker-mutator.io: the state CompileError
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startProgram } from '../../test/world/program.ts'

export interface Place {
  /** From 1, as is the column. */
  readonly line: number
  readonly column: number
}

export interface Mutant {
  /** From the root of the tree. */
  readonly path: string
  readonly replacement?: string | undefined
  readonly location: { readonly start: Place; readonly end: Place }
}

function offsetOf(source: string, { line, column }: Place): number {
  let start = 0
  for (let passed = 1; passed < line; passed += 1) start = source.indexOf('\n', start) + 1
  return start + column - 1
}

/** The text of the file with the mutant in it. */
export function mutated(source: string, { replacement = '', location }: Omit<Mutant, 'path'>): string {
  return source.slice(0, offsetOf(source, location.start)) + replacement + source.slice(offsetOf(source, location.end))
}

const configName = 'tsconfig.mutants.json'
const success = 0

/** Compiles these mutants at once, at most one of a file. @returns the paths in which the compiler found an error */
async function refusedPaths(tree: string, mutants: readonly Mutant[]): Promise<ReadonlySet<string>> {
  const sources = mutants.map(({ path }) => readFileSync(join(tree, path), 'utf8'))
  try {
    for (const [at, mutant] of mutants.entries()) {
      writeFileSync(join(tree, mutant.path), mutated(sources[at] ?? '', mutant))
    }
    const files = mutants.map(({ path }) => path)
    // WHY: what a mutant leaves unused would be told of code that is only unusual.
    const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false }
    writeFileSync(
      join(tree, configName),
      JSON.stringify({ extends: './tsconfig.json', include: [], files, compilerOptions }),
    )
    const tsc = startProgram('npx', ['--no-install', 'tsc', '--project', configName, '--pretty', 'false'], {
      cwd: tree,
    })
    if ((await tsc.ended) === success) return new Set()
    const refused = new Set([...tsc.output().matchAll(/^(\S+?)\(\d+,\d+\): error TS/gm)].map(([, path = '']) => path))
    if (refused.size === 0) throw new Error(`the compiler says nothing of a path: ${tsc.output().slice(0, 1_000)}`)
    return refused
  } finally {
    for (const [at, { path }] of mutants.entries()) writeFileSync(join(tree, path), sources[at] ?? '')
  }
}

/** The next of each file. */
function nextOfEach(waiting: readonly Mutant[]): readonly Mutant[] {
  return [...new Map(waiting.toReversed().map((mutant) => [mutant.path, mutant])).values()]
}

/** Those that do not compile in this tree, which is left as it was. */
export async function findRefused<M extends Mutant>(tree: string, mutants: readonly M[]): Promise<ReadonlySet<M>> {
  const refused = new Set<M>()
  let waiting = [...mutants]
  while (waiting.length > 0) {
    const round = new Set<Mutant>(nextOfEach(waiting))
    const paths = await refusedPaths(tree, [...round])
    const suspects = waiting.filter((mutant) => round.has(mutant) && paths.has(mutant.path))
    // WHY: an error may come from a mutant in another file, so each is compiled alone before it is believed.
    for (const suspect of suspects) {
      if ((await refusedPaths(tree, [suspect])).has(suspect.path)) refused.add(suspect)
    }
    waiting = waiting.filter((mutant) => !round.has(mutant))
  }
  return refused
}
