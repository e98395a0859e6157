/**
 * Who ends the children when the gateway itself is killed?
 *
 * Stops: orphans after `kill -9`: a small program holds a pipe from the gateway and ends every registered process
 * group once that pipe closes.
 * Trusts: the operating system to close a dead process's pipes.
 * Fails: a reaper that died is started again and told every group.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

export interface Reaper {
  add(group: number): void
  remove(group: number): void
  /** Lets the program go; it ends whatever group is still registered. */
  close(): void
}

function startProgram(): ChildProcess {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const program = fileURLToPath(new URL(`./reaper-program${extension}`, import.meta.url))
  const child = spawn(process.execPath, ['--max-semi-space-size=1', '--no-warnings', program], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.unref()
  child.stdin?.on('error', () => {})
  if (child.stdin instanceof Socket) child.stdin.unref()
  return child
}

/** One reaper for one gateway process, started with its first child. */
export function createReaper(): Reaper {
  const groups = new Set<number>()
  let program: ChildProcess | undefined
  let isClosed = false

  function ensure(): ChildProcess {
    if (program !== undefined) return program
    const started = startProgram()
    program = started
    const restart = () => {
      if (program === started) program = undefined
      if (!isClosed && groups.size > 0) setTimeout(ensure, 100).unref()
    }
    started.once('error', restart).once('exit', restart)
    for (const group of groups) started.stdin?.write(`+${group}\n`)
    return started
  }

  return {
    add(group) {
      const running = program
      groups.add(group)
      const now = ensure()
      if (now === running) now.stdin?.write(`+${group}\n`)
    },
    remove(group) {
      if (groups.delete(group)) program?.stdin?.write(`-${group}\n`)
    },
    close() {
      isClosed = true
      program?.stdin?.end()
      program = undefined
    },
  }
}
