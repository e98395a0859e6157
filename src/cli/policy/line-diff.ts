/** One line of a change. */
export interface DiffLine {
  readonly sign: '+' | '-' | ' '
  readonly text: string
}

const maxCells = 4_000_000
const contextLines = 3

function linesOf(text: string | null): string[] {
  if (text === null || text === '') return []
  return text.replace(/\n$/, '').split('\n')
}

function sign(texts: readonly string[], by: DiffLine['sign']): DiffLine[] {
  return texts.map((text) => ({ sign: by, text }))
}

/** Lengths of the longest common part of what follows each pair of lines. */
function commonLengths(one: readonly string[], other: readonly string[]): Uint32Array[] {
  const rows = Array.from({ length: one.length + 1 }, () => new Uint32Array(other.length + 1))
  for (let left = one.length - 1; left >= 0; left--) {
    for (let right = other.length - 1; right >= 0; right--) {
      const [row, below] = [rows[left], rows[left + 1]]
      if (row === undefined || below === undefined) continue
      row[right] =
        one[left] === other[right] ? (below[right + 1] ?? 0) + 1 : Math.max(below[right] ?? 0, row[right + 1] ?? 0)
    }
  }
  return rows
}

function walk(one: readonly string[], other: readonly string[]): DiffLine[] {
  // WHY: beyond this the table would cost more than anybody reads.
  if (one.length * other.length > maxCells) return [...sign(one, '-'), ...sign(other, '+')]
  const lengths = commonLengths(one, other)
  const found: DiffLine[] = []
  let [left, right] = [0, 0]
  while (left < one.length && right < other.length) {
    const [was, is] = [one[left] ?? '', other[right] ?? '']
    if (was === is) {
      found.push({ sign: ' ', text: was })
      left++
      right++
    } else if ((lengths[left + 1]?.[right] ?? 0) >= (lengths[left]?.[right + 1] ?? 0)) {
      found.push({ sign: '-', text: was })
      left++
    } else {
      found.push({ sign: '+', text: is })
      right++
    }
  }
  return [...found, ...sign(one.slice(left), '-'), ...sign(other.slice(right), '+')]
}

/** What differs, with three lines around it; `null` is a text that is not there. */
export function diffLines(before: string | null, after: string | null): DiffLine[] {
  const [one, other] = [linesOf(before), linesOf(after)]
  let start = 0
  while (start < one.length && start < other.length && one[start] === other[start]) start++
  let end = 0
  while (
    end < one.length - start &&
    end < other.length - start &&
    one[one.length - 1 - end] === other[other.length - 1 - end]
  )
    end++
  const middle = walk(one.slice(start, one.length - end), other.slice(start, other.length - end))
  const before3 = sign(one.slice(Math.max(0, start - contextLines), start), ' ')
  const after3 = sign(one.slice(one.length - end, one.length - end + contextLines), ' ')
  return [...before3, ...middle, ...after3]
}
