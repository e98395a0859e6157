import { PassThrough, Writable } from 'node:stream'
import type { Terminal, TerminalOutput } from '../../src/cli/terminal/terminal.ts'

export interface TestTerminal extends Terminal {
  /** What was written so far. */
  out(): string
  err(): string
}

function createScreen(options: { isTTY: boolean; columns: number }): TerminalOutput & { text(): string } {
  const chunks: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString('utf8'))
      done()
    },
  })
  return Object.assign(stream, { ...(options.isTTY ? options : {}), text: () => chunks.join('') })
}

/** A terminal that remembers what was printed. Nobody sits at it: it is not interactive unless told. */
export function createTestTerminal(
  options: {
    isTTY?: boolean
    columns?: number
    environment?: Record<string, string>
    home?: string
    stdin?: string
    nowMs?: number
  } = {},
): TestTerminal {
  const screen = { isTTY: options.isTTY === true, columns: options.columns ?? 80 }
  const stdout = createScreen(screen)
  const stderr = createScreen(screen)
  const stdin = new PassThrough()
  stdin.end(options.stdin ?? '')
  const home = options.home ?? '/nonexistent'
  return {
    environment: options.environment ?? {},
    workingDirectory: home,
    home,
    stdin,
    stdout,
    stderr,
    now: () => options.nowMs ?? Date.now(),
    onStopSignal: () => () => undefined,
    exit: () => undefined,
    out: () => stdout.text(),
    err: () => stderr.text(),
  }
}
