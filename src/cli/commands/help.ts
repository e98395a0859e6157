import type { Command } from 'commander'
import type { CommandPlug } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { CliFailure } from '../failure.ts'

function find(program: Command, words: readonly string[]): Command {
  return words.reduce((command, word) => {
    const next = command.commands.find((one) => one.name() === word)
    if (next !== undefined) return next
    throw new CliFailure(
      'usage',
      'cli.unknown-topic',
      `there is no help on \`${words.join(' ')}\``,
      'see `castellan --help`',
    )
  }, program)
}

export const help: CommandPlug = {
  examples: ['castellan help hold place', 'castellan help exit-codes'],
  declare(program, open) {
    program
      .command('help')
      .argument('[topic...]', 'a command, or `exit-codes`')
      .description('explain a command, or the exit codes')
      .action((topic: string[]) => {
        if (topic.join(' ') !== 'exit-codes') return find(program, topic).outputHelp()
        const { output } = open()
        const rows = Object.entries(exitCodes).map(([name, { code, says }]) => ({ code, name, says }))
        output.result(rows, () =>
          output.table(
            rows,
            [
              { title: 'CODE', cell: (row) => String(row.code), isFixed: true },
              { title: 'MEANING', cell: (row) => row.says },
            ],
            '',
          ),
        )
      })
  },
}
