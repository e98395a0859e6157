import type { Command } from 'commander'
import type { Invocation } from './invocation.ts'

/** One word of the command line. Its file is loaded only when that word is typed, or for help. */
export interface CommandPlug {
  /** Lines to copy; the help of a command shows those that are about it. */
  readonly examples: readonly string[]
  /** @param open the invocation, once the options are parsed */
  declare(program: Command, open: () => Invocation): void
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

/** The end of a command's help: the examples that use it. */
export function exampleText(command: Command, lines: readonly string[]): string {
  const own = lines.filter((line) => `${line} `.includes(`${pathOf(command)} `))
  return own.length === 0 ? '' : `\nExamples:\n${own.map((line) => `  $ ${line}`).join('\n')}\n`
}
