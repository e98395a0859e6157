import { closeSync, openSync } from 'node:fs'
import { homedir } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import type { Clock } from '#kernel'

export type TerminalInput = Readable & { isTTY?: boolean }
export type TerminalOutput = Writable & { isTTY?: boolean; columns?: number }

/** SIGHUP only when it says that the terminal has gone. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** Everything the command line touches of the machine around it; tests pass their own. */
export interface Terminal extends Clock {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
  readonly home: string
  readonly stdin: TerminalInput
  readonly stdout: TerminalOutput
  readonly stderr: TerminalOutput
  /** Calls back on SIGINT and SIGTERM instead of dying. @returns how to stop listening */
  onStopSignal(listener: (signal: StopSignal) => void): () => void
  /** Calls back on SIGHUP, which asks to read the configuration again. @returns how to stop listening */
  onReloadSignal(listener: () => void): () => void
  /** Ends at once, without draining. */
  exit(code: number): void
}

/** WHY: SIGHUP means "read your configuration" to a service, and "your window was closed" to a program in one. */
function hasLostTerminal(): boolean {
  if (!wasInteractive) return false
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return false
  } catch {
    return true
  }
}

const wasInteractive = process.stdin.isTTY || process.stdout.isTTY

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
      const onHangUp = (signal: StopSignal) => {
        if (hasLostTerminal()) listener(signal)
      }
      process.on('SIGINT', listener)
      process.on('SIGTERM', listener)
      process.on('SIGHUP', onHangUp)
      return () => {
        process.off('SIGINT', listener)
        process.off('SIGTERM', listener)
        process.off('SIGHUP', onHangUp)
      }
    },
    onReloadSignal(listener) {
      const onHangUp = () => {
        if (!hasLostTerminal()) listener()
      }
      process.on('SIGHUP', onHangUp)
      return () => void process.off('SIGHUP', onHangUp)
    },
    exit: (code) => process.exit(code),
  }
}
