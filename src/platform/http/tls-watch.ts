import { type BigIntStats, statSync } from 'node:fs'
import { Misuse } from '#kernel'
import { type ReadTls, readTls, type TlsPaths } from './tls-files.ts'

const everyMsUnlessTold = 10_000

export interface TlsWatchOptions {
  readonly paths: TlsPaths
  /** What is in use when the watch begins. */
  readonly inUse: ReadTls
  /** Takes what was read into use. */
  readonly use: (tls: ReadTls) => void
  /** Told once of each new reason for which the files cannot be used, and when what is in use has expired. */
  readonly onProblem?: ((problem: Misuse) => void) | undefined
  readonly everyMs?: number | undefined
}

export interface TlsWatch {
  readonly inUse: ReadTls
  /** Watches other files from here on, and takes them into use. @throws Misuse as `readTls`, and then nothing changes */
  follow(paths: TlsPaths): void
  close(): void
}

/** Differs whenever a file was written, replaced, or swapped by a link on the way to it. */
function markOf({ certificate, key }: TlsPaths): string {
  return [certificate, key].map((path) => seenAs(statSync(path, { bigint: true, throwIfNoEntry: false }))).join(' ')
}

function seenAs(stats: BigIntStats | undefined): string {
  return stats === undefined ? 'none' : `${stats.dev}.${stats.ino}.${stats.size}.${stats.mtimeNs}.${stats.ctimeNs}`
}

function isSame(left: ReadTls, right: ReadTls): boolean {
  return left.certificate === right.certificate && left.key === right.key && left.minVersion === right.minVersion
}

function asMisuse(thrown: unknown, { certificate }: TlsPaths): Misuse {
  if (thrown instanceof Misuse) return thrown
  const hint = 'look at the files; what is in use stays'
  return new Misuse('http.tls-unusable', `the certificate in \`${certificate}\` cannot be used`, hint, {
    cause: thrown,
  })
}

/**
 * Looks at the files of a certificate every ten seconds and takes a new pair into use. A pair that cannot be used
 * changes nothing and is tried again: the two files may be written one after the other.
 */
export function watchTls({ paths, inUse, use, onProblem, everyMs = everyMsUnlessTold }: TlsWatchOptions): TlsWatch {
  let watched = paths
  let current = inUse
  // INVARIANT: undefined unless what the files held under this mark is in use.
  let usedMark: string | undefined
  let told: string | undefined

  function take(next: ReadTls): void {
    told = undefined
    if (isSame(next, current)) return
    use(next)
    current = next
  }

  function tell(problem: Misuse, mark: string): void {
    const telling = `${problem.code} ${problem.message} ${mark}`
    if (telling === told) return
    told = telling
    onProblem?.(problem)
  }

  function look(): void {
    const mark = safeMark()
    // WHY: a certificate that ends while its files stay as they are is told of, too, by reading it again.
    if (mark !== undefined && mark === usedMark && current.expiresAt > Date.now()) return
    try {
      take(readTls(watched))
      usedMark = mark
    } catch (thrown) {
      usedMark = undefined
      tell(asMisuse(thrown, watched), mark ?? '')
    }
  }

  function safeMark(): string | undefined {
    try {
      return markOf(watched)
    } catch {
      return undefined
    }
  }

  const timer = setInterval(look, everyMs).unref()
  return {
    get inUse() {
      return current
    },
    follow(next) {
      take(readTls(next))
      watched = next
      usedMark = undefined
    },
    close: () => clearInterval(timer),
  }
}
