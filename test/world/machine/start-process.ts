import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** A program of this folder that runs in a process of its own. */
export interface OtherProcess {
  readonly child: ChildProcess
  /** Lines it has said on its standard output. */
  readonly lines: readonly string[]
  /** Its exit code and what it complained about, when it has ended. */
  readonly ended: Promise<{ code: number | null; complaints: string }>
}

/** Starts `test/world/machine/<name>.ts`; killed after the running test if it still runs. */
export function startProcess(name: string, args: readonly string[]): OtherProcess {
  const program = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  let rest = ''
  let complaints = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  const ended = new Promise<{ code: number | null; complaints: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, complaints }))
  })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, lines, ended }
}
