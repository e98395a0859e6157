import { CliFailure, interrupted } from '../failure.ts'
import { printable } from './printable.ts'
import type { Terminal } from './terminal.ts'

export interface Choice {
  readonly value: string
  readonly label: string
  readonly hint?: string
}

/** Questions to the person at the terminal. They go to stderr: stdout stays data. */
export interface Prompts {
  /** False without a terminal or with `--no-input`; every question is then a failure that says what to pass instead. */
  readonly canAsk: boolean
  text(question: string, options: { instead: string; initial?: string; isOptional?: boolean }): Promise<string>
  secret(question: string, options: { instead: string }): Promise<string>
  confirm(question: string, options: { instead: string }): Promise<boolean>
  pick(question: string, choices: readonly Choice[], options: { instead: string }): Promise<string[]>
}

function refuseToAsk(question: string, instead: string): CliFailure {
  const message = `this needs an answer to "${question}", and there is no terminal to ask at`
  return new CliFailure('usage', 'cli.input-needed', message, instead)
}

export function createPrompts(terminal: Terminal, options: { mayAsk: boolean }): Prompts {
  const canAsk = options.mayAsk && terminal.stdin.isTTY === true && terminal.stderr.isTTY === true
  const streams = { input: terminal.stdin, output: terminal.stderr }
  const ask = async <Answer>(
    question: string,
    instead: string,
    prompt: (clack: typeof import('@clack/prompts')) => Promise<Answer>,
  ): Promise<Exclude<Answer, symbol>> => {
    if (!canAsk) throw refuseToAsk(question, instead)
    const clack = await import('@clack/prompts')
    const answer = await prompt(clack)
    if (clack.isCancel(answer)) throw interrupted()
    return answer as Exclude<Answer, symbol>
  }
  return {
    canAsk,
    text: (question, { instead, initial, isOptional }) =>
      ask(question, instead, async (clack) => {
        const answer = await clack.text({
          ...streams,
          message: printable(question),
          ...(initial === undefined ? {} : { initialValue: printable(initial) }),
          validate: (value) =>
            isOptional !== true && (value ?? '').trim() === '' ? 'please type something' : undefined,
        })
        return answer ?? ''
      }),
    secret: (question, { instead }) =>
      ask(question, instead, (clack) =>
        clack.password({
          ...streams,
          message: printable(question),
          validate: (value) => ((value ?? '') === '' ? 'please type something' : undefined),
        }),
      ),
    confirm: (question, { instead }) =>
      ask(question, instead, (clack) =>
        clack.confirm({ ...streams, message: printable(question), initialValue: false }),
      ),
    pick: (question, choices, { instead }) =>
      ask(question, instead, (clack) =>
        clack.multiselect({
          ...streams,
          message: printable(question),
          required: false,
          options: choices.map(({ value, label, hint }) => ({
            value,
            label: printable(label),
            ...(hint === undefined ? {} : { hint: printable(hint) }),
          })),
        }),
      ),
  }
}
