import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Misuse } from '#kernel'

const quietMs = 100
const longestWaitMs = 2_000

/**
 * Reads a file that was left alone for a moment before, and was not written meanwhile.
 * @throws Misuse `files.being-written` when it does not come to rest, and whatever `read` throws
 */
export async function readAtRest<T>(path: string, read: () => T): Promise<T> {
  const giveUpAt = Date.now() + longestWaitMs
  for (;;) {
    const mark = markOf(path)
    if (isAtRest(mark)) {
      const outcome = attempt(read)
      if (markOf(path) === mark) return outcome()
    }
    if (Date.now() > giveUpAt) {
      throw new Misuse(
        'files.being-written',
        `\`${path}\` is being written all the time`,
        'try again when it is complete',
      )
    }
    await sleep(quietMs)
  }
}

/** When it was written last, in milliseconds since 1970; 0 when it is not there or cannot be looked at. */
function markOf(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  } catch {
    // WHY: a loop of links or a closed folder: reading it tells in words what is wrong.
    return 0
  }
}

function isAtRest(mark: number): boolean {
  const restedMs = Date.now() - mark
  // WHY: a clock that was set back would leave the file in the future for long.
  return restedMs >= quietMs || restedMs < -longestWaitMs
}

/** The outcome, to be had when it counts. */
function attempt<T>(read: () => T): () => T {
  try {
    const value = read()
    return () => value
  } catch (thrown) {
    return () => {
      throw thrown
    }
  }
}

/**
 * Half of a file is YAML, too, and may open what the whole keeps shut. Compares with what was read before.
 * @throws Misuse `files.cut` for what looks like a part of a file
 */
export function refuseCut(path: string, before: string, after: string | undefined): void {
  const flaw = flawOf(before, after)
  if (flaw === undefined) return
  throw new Misuse('files.cut', `\`${path}\` ${flaw}`, 'write all of it, and a last line `...` if that is all')
}

function flawOf(before: string, after: string | undefined): string | undefined {
  if (after === undefined) return 'is not there any more'
  if (after === before || /^\.\.\.[ \t\r]*\n?$/m.test(after)) return undefined
  if (after.trim() === '' && before.trim() !== '') return 'is empty'
  if (before.endsWith('\n') && !after.endsWith('\n')) return 'ends in the middle of a line'
  return before.startsWith(after) ? 'has lost its end: it is the beginning of what was read before' : undefined
}
