/**
 * One process of a stdio upstream: its start, its lines, its end.
 *
 * Stops: shells, inherited environment, lines without end, grandchildren that stay behind, a child that reads nothing, or
 * writes more than is taken to its output or its error output.
 * Trusts: the command, which an admin approved.
 * Fails: `onExit` is called once, with what the child last wrote to its error output.
 * @see MCP 2025-11-25, stdio transport
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '#kernel'
import { ByteShare } from '../byte-share.ts'
import { Pace } from '../pace.ts'
import type { UpstreamLimits, UpstreamRecord } from '../transport.ts'
import { createLineReader } from './line-reader.ts'
import type { Reaper } from './reaper.ts'

const maxErrorTailBytes = 8 * 1024
const longestErrorHoldMs = 1_000

export interface ChildEnd {
  readonly fault: Fault
  /** It ended by itself, did not start, or was ended for what it did. */
  readonly isCrash: boolean
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** The last of its error output, for the ledger alone. */
  readonly errorTail: string
}

export interface ChildOptions {
  readonly record: UpstreamRecord
  /** Each upstream's children run in a folder of their own below this one. */
  readonly workFolder: string
  readonly limits: UpstreamLimits
  /** Lines a second beyond one for each message it is sent. */
  readonly settings: { readonly current: { readonly eventsPerSecond: number } }
  readonly reaper: Reaper
  readonly onLine: (line: string) => void
  readonly onExit: (end: ChildEnd) => void
}

function cleanEnvironment(record: UpstreamRecord): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of ['PATH', 'HOME', 'LANG']) {
    const value = process.env[name]
    if (value !== undefined) kept[name] = value
  }
  return { ...kept, ...record.environment }
}

function start({ record, workFolder }: ChildOptions): ChildProcessWithoutNullStreams {
  const [program, ...parameters] = record.command ?? []
  if (program === undefined) throw new Fault('upstream.unreachable', 'the upstream has no command')
  const cwd = join(workFolder, record.name)
  try {
    mkdirSync(cwd, { recursive: true, mode: 0o700 })
    return spawn(program, parameters, {
      cwd,
      env: cleanEnvironment(record),
      shell: false,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  } catch (error) {
    throw new Fault('upstream.unreachable', 'the upstream cannot be started', { cause: error })
  }
}

/** A running child, or one that is about to fail to start: then `onExit` tells. */
export class Child {
  readonly #options: ChildOptions
  readonly #child: ChildProcessWithoutNullStreams
  readonly #gone: Promise<void>
  #fault: Fault | undefined
  #isCrash = false
  readonly #pace: Pace
  #errorTail = Buffer.alloc(0)
  readonly #errorShare: ByteShare
  #errorTimer: NodeJS.Timeout | undefined
  #killTimer: NodeJS.Timeout | undefined
  #closeTimer: NodeJS.Timeout | undefined
  #isGone = false

  constructor(options: ChildOptions) {
    this.#options = options
    const child = start(options)
    this.#child = child
    this.#pace = new Pace({
      settings: options.settings,
      pause: () => void child.stdout.pause(),
      resume: () => void child.stdout.resume(),
      onTooFast: () =>
        this.#break(new Fault('upstream.misbehaved', 'the upstream writes lines faster than they are taken')),
    })
    if (child.pid !== undefined) options.reaper.add(child.pid)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gone = promise
    const readLines = createLineReader(options.limits.maxMessageBytes)
    child.stdout.on('data', (chunk: Buffer) => this.#read(readLines, chunk))
    this.#errorShare = new ByteShare(options.settings.current.eventsPerSecond)
    child.stderr.on('data', (chunk: Buffer) => this.#readErrors(chunk))
    child.stdin.on('error', () => this.#break(new Fault('upstream.unreachable', 'the upstream stopped reading')))
    child.once('error', (error) => {
      this.#isCrash ||= this.#fault === undefined
      this.#fault ??= new Fault('upstream.unreachable', 'the upstream cannot be started', { cause: error })
      this.#end(null, null, resolve)
    })
    child.once('exit', (code, signal) => {
      this.#isCrash ||= this.#fault === undefined
      this.#signalGroup('SIGKILL')
      // WHY: a process that left the group may hold the pipes open; its output is nobody's any more.
      this.#closeTimer = setTimeout(() => {
        child.stdout.destroy()
        child.stderr.destroy()
        this.#end(code, signal, resolve)
      }, 1_000)
    })
    child.once('close', (code, signal) => this.#end(code, signal, resolve))
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get isGone(): boolean {
    return this.#isGone || this.#fault !== undefined
  }

  /**
   * Sends one message as one line.
   * @throws Fault when the child is gone or has stopped reading
   */
  send(message: Buffer): void {
    if (this.isGone) throw new Fault('upstream.unreachable', 'the upstream has ended')
    if (this.#child.stdin.writableLength > this.#options.limits.maxMessageBytes) {
      const fault = new Fault('upstream.misbehaved', 'the upstream does not read what it is sent')
      this.#break(fault)
      throw fault
    }
    this.#pace.expect()
    this.#child.stdin.write(oneLine(message))
    this.#child.stdin.write('\n')
  }

  /** Holds its output back while a caller is slow. */
  hold(isHeld: boolean): void {
    this.#pace.hold(isHeld)
  }

  /** Ends it with its whole process group. Resolves when nothing of it is left to read. */
  async stop(fault: Fault): Promise<void> {
    if (this.#fault === undefined && !this.#isGone) {
      this.#fault = fault
      this.#child.stdin.end()
      this.#pace.end()
      this.#child.stderr.resume()
      this.#signalGroup('SIGTERM')
      this.#killTimer = setTimeout(() => this.#signalGroup('SIGKILL'), this.#options.limits.killAfterMs)
    }
    return this.#gone
  }

  #read(readLines: (chunk: Buffer) => string[], chunk: Buffer): void {
    if (this.#fault !== undefined) return
    try {
      const lines = readLines(chunk)
      for (const line of lines) this.#options.onLine(line)
      this.#pace.count(lines.length)
    } catch (error) {
      this.#break(error instanceof Fault ? error : new Fault('upstream.misbehaved', 'a line cannot be read'))
    }
  }

  /** Keeps the end of what it says there, and reads no more of it in a second than of messages. */
  #readErrors(chunk: Buffer): void {
    this.#errorTail = Buffer.concat([this.#errorTail, chunk.subarray(-maxErrorTailBytes)]).subarray(-maxErrorTailBytes)
    const holdMs = this.#errorShare.take(chunk.length, this.#options.settings.current.eventsPerSecond)
    if (holdMs === 0 || this.#fault !== undefined) return
    const { stderr } = this.#child
    stderr.pause()
    clearTimeout(this.#errorTimer)
    this.#errorTimer = setTimeout(() => stderr.resume(), Math.min(longestErrorHoldMs, holdMs)).unref()
  }

  /** Ends it for what it did. */
  #break(fault: Fault): void {
    this.#isCrash ||= this.#fault === undefined
    void this.stop(fault)
  }

  #signalGroup(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return
    try {
      process.kill(-this.#child.pid, signal)
    } catch {
      // WHY: the whole group has ended already.
    }
  }

  #end(exitCode: number | null, signal: NodeJS.Signals | null, resolve: () => void): void {
    if (this.#isGone) return
    this.#isGone = true
    clearTimeout(this.#killTimer)
    clearTimeout(this.#closeTimer)
    clearTimeout(this.#errorTimer)
    this.#pace.end()
    if (this.#child.pid !== undefined) this.#options.reaper.remove(this.#child.pid)
    const fault = this.#fault ?? new Fault('upstream.unreachable', 'the upstream ended by itself')
    const errorTail = this.#errorTail.toString('utf8')
    this.#options.onExit({ fault, isCrash: this.#isCrash, exitCode, signal, errorTail })
    resolve()
  }
}

/** JSON without line breaks: between tokens they are white space, inside strings they cannot be. */
function oneLine(message: Buffer): Buffer {
  if (!message.includes(0x0a) && !message.includes(0x0d)) return message
  const line = Buffer.from(message)
  for (let at = 0; at < line.length; at += 1) if (line[at] === 0x0a || line[at] === 0x0d) line[at] = 0x20
  return line
}
