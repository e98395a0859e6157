import { randomUUID } from 'node:crypto'
import type { Log } from './log.ts'

export interface LastResort {
  readonly log: Log
  /** Writes what is left of the log at once. */
  readonly flushLog: () => void
  /** Puts the end on record, if that is still possible. */
  readonly record: (id: string, error: unknown) => Promise<unknown>
  readonly exit: (code: number) => void
}

/** Software that is wrong inside, by sysexits.h; a supervisor starts the process again. */
export const brokenExitCode = 70
const recordDeadlineMs = 1_000

function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: String(error) }
  return {
    error,
    stack: error.stack
      ?.split('\n')
      .slice(1, 12)
      .map((line) => line.trim()),
  }
}

/**
 * What nobody caught: logged with an id, put on record if possible, and the process ends. SPEC: Node: after
 * `uncaughtException` the state is undefined, so going on is no choice.
 * @returns how to stop watching
 */
export function installLastResort({ log, flushLog, record, exit }: LastResort): () => void {
  let isEnding = false

  function end(kind: string, error: unknown): void {
    if (isEnding) return
    isEnding = true
    const id = randomUUID()
    const leave = (): void => {
      flushLog()
      exit(brokenExitCode)
    }
    setTimeout(leave, recordDeadlineMs)
    try {
      log.error('castellan.broken', 'something broke that nobody caught; the process ends', {
        request_id: id,
        kind,
        ...describe(error),
      })
      record(id, error).then(leave, leave)
    } catch {
      leave()
    }
  }

  const onException = (error: unknown): void => end('exception', error)
  const onRejection = (reason: unknown): void => end('rejection', reason)
  process.on('uncaughtException', onException)
  process.on('unhandledRejection', onRejection)
  return () => {
    process.off('uncaughtException', onException)
    process.off('unhandledRejection', onRejection)
  }
}
