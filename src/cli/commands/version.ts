import type { CommandPlug } from '../command.ts'
import { readVersion } from '../read-version.ts'

export const version: CommandPlug = {
  examples: ['castellan version', 'castellan version --json'],
  declare(program, open) {
    program
      .command('version')
      .description('print the version of this program')
      .action(() => {
        const { output } = open()
        const facts = {
          version: readVersion(),
          node: process.versions.node,
          platform: `${process.platform}-${process.arch}`,
        }
        output.result(facts, () => output.line(`castellan ${facts.version} (node ${facts.node}, ${facts.platform})`))
      })
  },
}
