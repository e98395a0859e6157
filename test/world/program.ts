import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A program of ours running as its own process group, as a person's terminal would run it. */
export interface Program {
  readonly pid: number
  /** Everything printed on both streams so far. */
  output(): string
  /** The part of it that went to standard output. */
  stdout(): string
  /** Resolves with the match as soon as the output holds it. @throws when the program ends first or time is up */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>
  /** Sends SIGTERM to the whole group and waits. @returns the exit code, or the signal's name */
  stop(timeoutMs?: number): Promise<number | string>
  readonly ended: Promise<number | string>
}

export interface ProgramOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch {
    return
  }
}

export function startProgram(command: string, args: readonly string[], options: ProgramOptions = {}): Program {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    detached: true,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  let printed = ''
  let data = ''
  let isRunning = true
  child.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
    data += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  if (options.input !== undefined) child.stdin?.end(options.input)
  const ended = new Promise<number | string>((resolve) => {
    child.on('error', (error) => {
      printed += error.message
      isRunning = false
      resolve(1)
    })
    child.on('close', (code, signal) => {
      isRunning = false
      resolve(code ?? signal ?? 1)
    })
  })
  return {
    pid: child.pid ?? 0,
    ended,
    output: () => printed,
    stdout: () => data,
    async waitFor(pattern, timeoutMs = 30_000) {
      const stopAt = Date.now() + timeoutMs
      for (;;) {
        const match = pattern.exec(printed)
        if (match !== null) return match
        if (!isRunning) throw new Error(`\`${command}\` ended without printing ${pattern}:\n${printed}`)
        if (Date.now() > stopAt) throw new Error(`\`${command}\` did not print ${pattern} in time:\n${printed}`)
        await sleep(20)
      }
    },
    async stop(timeoutMs = 15_000) {
      killGroup(child.pid, 'SIGTERM')
      const timer = setTimeout(() => killGroup(child.pid, 'SIGKILL'), timeoutMs)
      const ending = await ended
      clearTimeout(timer)
      return ending
    },
  }
}

/** Runs a program to its end. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<{ code: number | string; output: string; stdout: string }> {
  const program = startProgram(command, args, options)
  const code = await program.ended
  return { code, output: program.output(), stdout: program.stdout() }
}

/** Below the ports that the system gives away by itself, to listeners and to outgoing connections. */
const firstPort = 12_000
const lastPort = 32_000

/** Holds a port, if nobody else does. */
async function holdPort(port: number): Promise<Server | undefined> {
  const server = createServer()
  const isHeld = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, () => resolve(true))
  })
  return isHeld ? server : undefined
}

/**
 * Ports nobody listens on, all different. WHY: by chance and from a range of their own, because what is free for a
 * moment is given to somebody else in the next one.
 */
export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>()
  while (held.size < count) {
    const port = randomInt(firstPort, lastPort)
    const server = held.has(port) ? undefined : await holdPort(port)
    if (server !== undefined) held.set(port, server)
  }
  await Promise.all([...held.values()].map((server) => new Promise((resolve) => server.close(resolve))))
  return [...held.keys()]
}

/** Asks until an address answers with this status. @throws when time is up */
export async function waitForStatus(url: string, status: number, timeoutMs = 30_000): Promise<void> {
  const stopAt = Date.now() + timeoutMs
  for (;;) {
    const answer = await fetch(url).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === status) return
    if (Date.now() > stopAt) throw new Error(`${url} did not answer ${status} in time`)
    await sleep(50)
  }
}
