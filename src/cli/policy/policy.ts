import type { CommandPlug } from '../command.ts'
import { changeCommands } from './changes.ts'
import { draftCommands } from './drafts.ts'
import { formatCommands } from './format.ts'
import { historyCommands } from './history.ts'
import { questionCommands } from './questions.ts'
import { replayCommands } from './replay.ts'
import { shadowCommands } from './shadow.ts'

/** Each adds its words below `castellan policy`, in the order of the help. */
const parts: readonly CommandPlug[] = [
  changeCommands,
  draftCommands,
  formatCommands,
  historyCommands,
  shadowCommands,
  replayCommands,
  questionCommands,
]

export const policy: CommandPlug = {
  examples: parts.flatMap((part) => part.examples),
  declare(program, open) {
    const command = program.command('policy').description('what may happen: change it, try it, ask it')
    for (const part of parts) part.declare(command, open)
  },
}
