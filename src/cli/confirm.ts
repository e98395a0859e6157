import { CliFailure } from './failure.ts'
import type { Invocation } from './invocation.ts'

/**
 * Asks before something that cannot be taken back. Without a terminal, `--yes` is the answer.
 * @throws CliFailure `cli.confirmation-needed`, `cli.not-confirmed`
 */
export async function confirmOrRefuse({ prompts }: Invocation, question: string, isSure: boolean): Promise<void> {
  if (isSure) return
  if (!prompts.canAsk) {
    throw new CliFailure('usage', 'cli.confirmation-needed', `this needs a yes: ${question}`, 'add --yes')
  }
  if (await prompts.confirm(question, { instead: 'add --yes' })) return
  throw new CliFailure('usage', 'cli.not-confirmed', 'nothing was changed', 'answer yes, or add --yes')
}
