import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const program = (name: string): string => fileURLToPath(new URL(`${name}-program.ts`, import.meta.url))

/** The command of the reference server on standard input and output. */
export const stdioCommand: readonly string[] = [process.execPath, program('stdio')]

/** The same for the one that speaks 2026-07-28 alone. */
export const modernOnlyStdioCommand: readonly string[] = [process.execPath, program('modern-only-stdio')]

/** The same for the one that speaks the revisions with sessions alone. */
export const legacyOnlyStdioCommand: readonly string[] = [process.execPath, program('legacy-only-stdio')]

export interface RunningUpstream {
  readonly url: string
  end(): Promise<void>
}

/** Starts a reference server as a process of its own; it ends with this process at the latest. */
export async function startUpstream(
  name: 'both-eras' | 'legacy-only' | 'modern-only' | 'first-line',
): Promise<RunningUpstream> {
  const child = spawn(process.execPath, [program(name)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const lines = createInterface({ input: child.stdout })
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as unknown[]
  const url = typeof line === 'string' ? /^listening on (http:.*)$/.exec(line)?.[1] : undefined
  if (url === undefined) throw new Error(`the reference server ${name} did not start`)
  return {
    url,
    async end() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
