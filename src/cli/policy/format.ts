import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatPolicy } from '#policy'
import type { CommandPlug } from '../command.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { readPolicyFolder } from './policy-folder.ts'

/** @throws CliFailure `cli.policy-unreadable` before anything is written */
function format({ output }: Invocation, folder: string, isCheck: boolean): void {
  const files = readPolicyFolder(folder).filter(({ path }) => path.endsWith('.cedar'))
  const changed = files.flatMap(({ path, text }) => {
    const formatted = formatPolicy(text)
    if (formatted.problem !== undefined) {
      const hint = '`castellan policy lint` shows where'
      throw new CliFailure('usage', 'cli.policy-unreadable', `\`${path}\` cannot be read: ${formatted.problem}`, hint)
    }
    return formatted.text === text ? [] : [{ path, text: formatted.text }]
  })
  if (!isCheck) for (const { path, text } of changed) writeFileSync(join(folder, path), text)
  const paths = changed.map(({ path }) => path)
  output.result({ changed: paths, written: !isCheck }, () => {
    for (const path of paths) output.line(path)
    if (paths.length === 0) output.line(`${files.length} policy files are as they should be`)
  })
  if (!isCheck || paths.length === 0) return
  const message = `${paths.length} of ${files.length} policy files have another layout`
  throw new CliFailure('conflict', 'cli.policy-layout', message, `run \`castellan policy format ${folder}\``)
}

export const formatCommands: CommandPlug = {
  examples: ['castellan policy format ./policy', 'castellan policy format ./policy --check'],
  declare(command, open) {
    command
      .command('format')
      .argument('<folder>')
      .description('lay out the policy files of a folder as Cedar does; works without a server')
      .option('--check', 'write nothing; exit code 7 if a file would change')
      .action((folder: string, options: { check?: boolean }) => format(open(), folder, options.check === true))
  },
}
