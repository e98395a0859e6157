import { Fault, Misuse } from '#kernel'
import { exitCodes, type ExitReason } from './exit-codes.ts'

/** A command that did not do what was asked: one code, one sentence, one hint, one exit code. */
export class CliFailure extends Error {
  readonly code: string
  readonly hint: string
  readonly reason: ExitReason
  readonly requestId: string | undefined
  constructor(reason: ExitReason, code: string, message: string, hint: string, requestId?: string) {
    super(message)
    this.name = 'CliFailure'
    this.reason = reason
    this.code = code
    this.hint = hint
    this.requestId = requestId
  }
  get exitCode(): number {
    return exitCodes[this.reason].code
  }
}

export function interrupted(): CliFailure {
  return new CliFailure('interrupted', 'cli.interrupted', 'interrupted', 'run the command again')
}

interface ParserError {
  readonly code: string
  readonly message: string
}

function isParserError(error: unknown): error is ParserError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('commander.')
}

/**
 * Whatever was thrown, as something that can be printed in two lines. Never a stack trace.
 * @param command as far as it was understood; its help is the hint for wrong use
 */
export function asFailure(error: unknown, command = 'castellan'): CliFailure {
  if (error instanceof CliFailure) return error
  if (error instanceof Misuse) return new CliFailure('usage', error.code, error.message, error.hint)
  if (error instanceof Fault) {
    return new CliFailure(
      'usage',
      error.code,
      error.message,
      'run `castellan doctor` for the state of this installation',
    )
  }
  if (isParserError(error)) {
    const [message = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n')
    const meant = /Did you mean (?:one of )?(.*)\?/.exec(suggestion)?.[1]
    const hint = meant === undefined ? `see \`${command} --help\`` : `did you mean \`${meant}\`?`
    return new CliFailure('usage', 'cli.usage', message, hint)
  }
  const message = error instanceof Error ? error.message : String(error)
  return new CliFailure(
    'usage',
    'cli.unexpected',
    message,
    'run `castellan doctor`; if it repeats, report it with the command',
  )
}
