/**
 * Which words of a text were taken out, and which were put in?
 *
 * Stops: a sentence slipped into a long description.
 * Trusts: nothing; time and memory are bounded whatever the texts are.
 * Fails: texts that differ in too many words differ as a whole.
 */

/** Words in a row that stayed, went or came, with the white space between them as it was. */
export interface WordRun {
  readonly kind: 'same' | 'removed' | 'added'
  readonly text: string
}

/** Cells of the table that finds what two texts have in common: 4 MB. */
const maxCells = 1_000_000

/** Words with the white space before each. */
function wordsOf(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? []
}

function push(runs: WordRun[], kind: WordRun['kind'], words: readonly string[]): void {
  if (words.length === 0) return
  const last = runs.at(-1)
  if (last?.kind === kind) runs[runs.length - 1] = { kind, text: last.text + words.join('') }
  else runs.push({ kind, text: words.join('') })
}

/** Lengths of the longest common rest, from each pair of words on. */
function commonLengths(from: readonly string[], to: readonly string[]): Uint32Array {
  const width = to.length + 1
  const lengths = new Uint32Array((from.length + 1) * width)
  for (let left = from.length - 1; left >= 0; left -= 1) {
    for (let right = to.length - 1; right >= 0; right -= 1) {
      const at = left * width + right
      lengths[at] =
        from[left] === to[right]
          ? (lengths[at + width + 1] ?? 0) + 1
          : Math.max(lengths[at + width] ?? 0, lengths[at + 1] ?? 0)
    }
  }
  return lengths
}

function compareMiddle(from: readonly string[], to: readonly string[], runs: WordRun[]): void {
  if (from.length * to.length > maxCells) {
    push(runs, 'removed', from)
    return push(runs, 'added', to)
  }
  const lengths = commonLengths(from, to)
  const width = to.length + 1
  let [left, right] = [0, 0]
  while (left < from.length && right < to.length) {
    if (from[left] === to[right]) {
      push(runs, 'same', [from[left] ?? ''])
      left += 1
      right += 1
    } else if ((lengths[(left + 1) * width + right] ?? 0) >= (lengths[left * width + right + 1] ?? 0)) {
      push(runs, 'removed', [from[left] ?? ''])
      left += 1
    } else {
      push(runs, 'added', [to[right] ?? ''])
      right += 1
    }
  }
  push(runs, 'removed', from.slice(left))
  push(runs, 'added', to.slice(right))
}

/** The runs of `same` and `removed` are the first text, those of `same` and `added` the second. */
export function compareWords(from: string, to: string): WordRun[] {
  const [left, right] = [wordsOf(from), wordsOf(to)]
  const shorter = Math.min(left.length, right.length)
  let start = 0
  while (start < shorter && left[start] === right[start]) start += 1
  let end = 0
  while (end < shorter - start && left[left.length - 1 - end] === right[right.length - 1 - end]) end += 1
  const runs: WordRun[] = []
  push(runs, 'same', left.slice(0, start))
  compareMiddle(left.slice(start, left.length - end), right.slice(start, right.length - end), runs)
  push(runs, 'same', left.slice(left.length - end))
  return runs
}
