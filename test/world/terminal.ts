import { PassThrough, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Terminal, TerminalOutput } from '../../src/cli/terminal/terminal.ts'

export interface TestTerminal extends Terminal {
  /** What was written so far. */
  out(): string
  err(): string
  /** What a person types; `\r` is the enter key. Only with `hasPerson`. */
  type(keys: string): void
  /** Somebody wants the program to stop. */
  signal(name: 'SIGINT' | 'SIGTERM'): void
  /** Somebody wants the configuration to be read again. */
  hangUp(): void
  /** Whether signals are listened to. */
  isHeard(): boolean
  /** Set when the program ended without draining. */
  exitedWith(): number | undefined
  /** Resolves when stderr, where questions are asked, matches in what came since the last keys. */
  waitFor(pattern: RegExp): Promise<void>
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
    /** Somebody sits at it and answers questions. */
    hasPerson?: boolean
    columns?: number
    environment?: Record<string, string>
    home?: string
    stdin?: string
    nowMs?: number
  } = {},
): TestTerminal {
  const screen = { isTTY: options.isTTY === true || options.hasPerson === true, columns: options.columns ?? 80 }
  const stdout = createScreen(screen)
  const stderr = createScreen(screen)
  const stdin = Object.assign(
    new PassThrough(),
    options.hasPerson === true ? { isTTY: true, setRawMode: () => undefined } : {},
  )
  if (options.hasPerson !== true) stdin.end(options.stdin ?? '')
  let seenChars = 0
  let exitCode: number | undefined
  const listeners = new Set<(signal: 'SIGINT' | 'SIGTERM') => void>()
  const reloadListeners = new Set<() => void>()
  const home = options.home ?? '/nonexistent'
  return {
    environment: options.environment ?? {},
    workingDirectory: home,
    home,
    stdin,
    stdout,
    stderr,
    now: () => options.nowMs ?? Date.now(),
    onStopSignal(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    exit(code) {
      exitCode = code
    },
    onReloadSignal(listener) {
      reloadListeners.add(listener)
      return () => void reloadListeners.delete(listener)
    },
    isHeard: () => listeners.size > 0 && reloadListeners.size > 0,
    hangUp: () => reloadListeners.forEach((listener) => listener()),
    signal: (name) => listeners.forEach((listener) => listener(name)),
    exitedWith: () => exitCode,
    out: () => stdout.text(),
    err: () => stderr.text(),
    type(keys) {
      seenChars = stderr.text().length
      stdin.write(keys)
    },
    async waitFor(pattern) {
      while (!pattern.test(stderr.text().slice(seenChars))) await sleep(5)
    },
  }
}
