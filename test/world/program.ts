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

/** Listens, if nobody else does. */
async function holdAddress(address: number | string): Promise<Server | undefined> {
  const server = createServer()
  const isHeld = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(address, () => resolve(true))
  })
  return isHeld ? server : undefined
}

/**
 * Whether nobody listens on this port, and no test of another process has chosen it.
 * WHY: between the choice of a port and its use another process could choose the same one. The name of the choice, a
 * socket without a file, is kept until this process ends, in which way ever.
 */
async function choosePort(port: number): Promise<boolean> {
  const name = await holdAddress(`\0castellan-test-port-${port}`)
  if (name === undefined) return false
  name.unref()
  const server = await holdAddress(port)
  if (server === undefined) return false
  await new Promise((resolve) => server.close(resolve))
  return true
}

/** Ports nobody listens on, all different; no process of the tests is given one that another was given. */
export async function freePorts(count: number): Promise<number[]> {
  const chosen: number[] = []
  while (chosen.length < count) {
    const port = randomInt(firstPort, lastPort)
    if (await choosePort(port)) chosen.push(port)
  }
  return chosen
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
