/**
 * Walks entries and heads side by side and names what does not fit.
 * Stops: a tampered entry hiding behind a valid one, or one fault hiding all that follow it.
 * Trusts: heads signed by the ledger key, and nothing else in the file.
 * Fails: by reporting; it goes on at the next head whose tree state can be proved.
 */
import type { Head, HeadVerifier } from './heads.ts'
import { hashLeaf, TreeEdge } from './merkle.ts'
import type { LedgerProblem } from './verify.ts'

/** Takes a problem: the entry, or the first and last entry of a range. */
export type Report = (kind: LedgerProblem['kind'], seq: number, says: string, lastSeq?: number) => void

type Row = Readonly<Record<string, unknown>>

export interface TreeCheck {
  /** Rows in order of `seq`. */
  entry(row: Row): void
  /** After the last row. */
  end(): void
  nextSeq(): number
  found(): { size: number; root: string }
}

interface TreeCheckOptions {
  readonly heads: Iterator<Row>
  readonly verifier: HeadVerifier
  /** The head kept outside the database. */
  readonly newest: Head | undefined
  readonly report: Report
}

/** A row of the heads table that the key signed; `edge` only when it folds to the signed root. */
interface SignedRow {
  readonly head: Head
  readonly edge: TreeEdge | undefined
}

function seqIn(body: Uint8Array): unknown {
  try {
    const entry: unknown = JSON.parse(Buffer.from(body).toString())
    return typeof entry === 'object' && entry !== null && 'seq' in entry ? entry.seq : undefined
  } catch {
    return undefined
  }
}

function isSameHead(left: Head, right: Head): boolean {
  return Buffer.from(left.root).equals(right.root) && left.number === right.number
}

/** Reads the heads table row by row: numbered without gaps, growing, each signed. */
function createHeadReader({ heads, verifier, report }: TreeCheckOptions): () => SignedRow | undefined {
  let lastNumber = 0
  let lastSize = 0
  return function next(): SignedRow | undefined {
    for (;;) {
      const step = heads.next()
      if (step.done === true) return undefined
      const row = step.value
      const size = Number(row['size'])
      if (row['number'] !== lastNumber + 1)
        report(
          'head-forged',
          lastSize + 1,
          `a signed head is missing after entry ${lastSize}`,
          Math.max(size, lastSize + 1),
        )
      lastNumber = Number(row['number'])
      const head = verifier.read(String(row['note']))
      if (head === undefined || head.number !== row['number'] || head.size !== size || size <= lastSize) {
        report('head-forged', size, `the head of ${size} entries is not what the ledger key signed`)
        continue
      }
      lastSize = size
      const edge = row['edge'] instanceof Uint8Array ? TreeEdge.read(size, row['edge']) : undefined
      const isProved = edge?.root().equals(head.root) === true
      if (!isProved) report('head-forged', size, `the tree state kept with the head of ${size} entries was changed`)
      return { head, edge: isProved ? edge : undefined }
    }
  }
}

export function createTreeCheck(options: TreeCheckOptions): TreeCheck {
  const { newest, report } = options
  const nextHead = createHeadReader(options)
  /** Over the bodies found, and over the leaf hashes kept beside them: a change of one alone shows which. */
  let byBody = TreeEdge.empty()
  let byLeaf = TreeEdge.empty()
  const whole = TreeEdge.empty()
  let next = 1
  let provedSize = 0
  /** Whether a problem since `provedSize` was reported that explains a root which does not fit. */
  let isExplained = false
  let isNewestSeen = newest === undefined || newest.size === 0
  let upcoming = nextHead()

  const blame: Report = (...problem) => {
    isExplained = true
    report(...problem)
  }

  function skipTo(seq: number): void {
    if (seq === next) return
    const last = seq - 1
    blame('missing', next, next === last ? `entry ${next} is missing` : `entries ${next} to ${last} are missing`, last)
    while (upcoming !== undefined && upcoming.head.size < seq) checkHead(upcoming, false)
  }

  function checkHead({ head, edge }: SignedRow, canMatch = true): void {
    const isProved = canMatch && (byBody.root().equals(head.root) || byLeaf.root().equals(head.root))
    if (!isProved && !isExplained)
      report(
        'changed',
        provedSize + 1,
        `one of the entries ${provedSize + 1} to ${head.size} was rewritten together with its hash`,
        head.size,
      )
    if (newest !== undefined && head.size === newest.size) {
      isNewestSeen = true
      if (!isSameHead(head, newest)) report('head-forged', head.size, `two heads of ${head.size} entries were signed`)
    }
    const proved = edge ?? (byBody.root().equals(head.root) ? byBody : byBody.size === head.size ? byLeaf : undefined)
    provedSize = head.size
    isExplained = proved === undefined
    byBody = (proved ?? TreeEdge.empty()).copy()
    byLeaf = byBody.copy()
    upcoming = nextHead()
  }

  function checkRow(row: Row, seq: number): void {
    const body = row['body'] instanceof Uint8Array ? row['body'] : new Uint8Array()
    const leaf = row['leaf'] instanceof Uint8Array ? row['leaf'] : new Uint8Array()
    const computed = hashLeaf(body)
    const stated = row['type'] === 'text' ? seqIn(body) : undefined
    if (typeof stated === 'number' && stated !== seq)
      blame('reordered', seq, `in the place of entry ${seq} stands entry ${stated}`)
    else if (stated !== seq) blame('changed', seq, `entry ${seq} is no entry`)
    else if (!computed.equals(leaf)) blame('changed', seq, `entry ${seq} does not have the hash it was recorded with`)
    byBody.append(computed)
    byLeaf.append(leaf.length === computed.length ? leaf : computed)
    whole.append(computed)
  }

  return {
    entry(row) {
      const seq = Number(row['seq'])
      if (seq < 1) return report('changed', 0, `a row numbered ${seq} was added`)
      skipTo(seq)
      checkRow(row, seq)
      next = seq + 1
      if (upcoming?.head.size === seq) checkHead(upcoming)
    },
    end() {
      const last = next - 1
      const signedSize = Math.max(newest?.size ?? 0, lastSizeOf(upcoming, nextHead))
      if (signedSize > last) report('truncated', next, `entries ${next} to ${signedSize} were cut off`, signedSize)
      else if (!isNewestSeen && newest !== undefined)
        report('head-forged', newest.size, `the head of ${newest.size} entries was taken out`)
      if (provedSize < last && signedSize <= last && !isExplained)
        report('changed', provedSize + 1, `no signed head covers the entries from ${provedSize + 1}`, last)
    },
    nextSeq: () => next,
    found: () => ({ size: whole.size, root: whole.root().toString('hex') }),
  }
}

function lastSizeOf(upcoming: SignedRow | undefined, nextHead: () => SignedRow | undefined): number {
  let size = 0
  for (let row = upcoming; row !== undefined; row = nextHead()) size = row.head.size
  return size
}
