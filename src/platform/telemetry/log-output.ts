import { write, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Where finished lines go. */
export interface LogOutput {
  /** Takes a line with its line break and returns at once; beyond the room there is, the line is dropped and counted. */
  write(line: string): void
  /** Resolves when everything was taken by the reader, or the time is up. */
  flush(deadlineMs: number): Promise<void>
  /** Writes what is left without waiting for a slow reader: for the last words of a process. */
  flushNow(): void
}

const mostQueuedChars = 4 * 1024 * 1024
const longestWriteChars = 64 * 1024
const busyRetryMs = 50

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}

/** The first lines of the queue, taken out of it. */
function takeText(queue: string[]): string {
  let chars = 0
  let count = 0
  while (count < queue.length && (count === 0 || chars + (queue[count]?.length ?? 0) <= longestWriteChars)) {
    chars += queue[count]?.length ?? 0
    count += 1
  }
  return queue.splice(0, count).join('')
}

/** INVARIANT: a reader that takes nothing does not keep a dying process alive. */
function writeNow(fd: number, text: string): void {
  let rest = Buffer.from(text)
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
  } catch {
    return
  }
}

/**
 * Writes to a file descriptor without ever keeping the program waiting: a reader that stalls costs lines, one that is
 * gone costs all further ones. What was dropped is told by `onDropped` when the reader takes lines again.
 */
export function createLogOutput(fd: number, onDropped: (count: number) => void): LogOutput {
  const queue: string[] = []
  let queuedChars = 0
  let dropped = 0
  let chunk: Buffer | undefined
  let isGone = false

  function next(): void {
    if (queue.length === 0) {
      chunk = undefined
      if (dropped === 0) return
      const count = dropped
      dropped = 0
      return onDropped(count)
    }
    const text = takeText(queue)
    queuedChars -= text.length
    send(Buffer.from(text))
  }

  function send(rest: Buffer): void {
    chunk = rest
    write(fd, rest, (error, written) => {
      if (error !== null && isBusy(error)) return void setTimeout(() => send(rest), busyRetryMs).unref()
      if (error !== null) {
        isGone = true
        queue.length = 0
        chunk = undefined
        return
      }
      if (written < rest.length) send(rest.subarray(written))
      else next()
    })
  }

  return {
    write(line) {
      if (isGone) return
      if (queuedChars + line.length > mostQueuedChars) {
        dropped += 1
        return
      }
      queue.push(line)
      queuedChars += line.length
      if (chunk === undefined) next()
    },
    async flush(deadlineMs) {
      const deadline = performance.now() + deadlineMs
      while (chunk !== undefined && performance.now() < deadline) await sleep(5)
    },
    // WHY: the chunk under way is with the system already; only what waits behind it is still ours.
    flushNow: () => writeNow(fd, queue.splice(0).join('')),
  }
}
