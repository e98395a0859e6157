import { homedir } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import type { Clock } from '#kernel'

export type TerminalInput = Readable & { isTTY?: boolean }
export type TerminalOutput = Writable & { isTTY?: boolean; columns?: number }

/** Everything the command line touches of the machine around it; tests pass their own. */
export interface Terminal extends Clock {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
  readonly home: string
  readonly stdin: TerminalInput
  readonly stdout: TerminalOutput
  readonly stderr: TerminalOutput
  /** Calls back on SIGINT and SIGTERM instead of dying. @returns how to stop listening */
  onStopSignal(listener: (signal: 'SIGINT' | 'SIGTERM') => void): () => void
  /** Ends at once, without draining. */
  exit(code: number): void
}

/** The terminal this process runs in. */
export function createTerminal(): Terminal {
  return {
    environment: process.env,
    workingDirectory: process.cwd(),
    home: homedir(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    now: () => Date.now(),
    onStopSignal(listener) {
      process.on('SIGINT', listener)
      process.on('SIGTERM', listener)
      return () => {
        process.off('SIGINT', listener)
        process.off('SIGTERM', listener)
      }
    },
    exit: (code) => process.exit(code),
  }
}
