/** One line of a preview. */
export interface ChangeLine {
  readonly mark: '+' | '-' | ' '
  readonly text: string
}

const contextLines = 2
const maxCompared = 4_000_000

/** A line that only got a comma is no change to its reader. */
function isAlike(one: string | undefined, other: string | undefined): boolean {
  return one?.trimEnd().replace(/,$/, '') === other?.trimEnd().replace(/,$/, '')
}

/** Pairs of lines that both texts have, in order: the longest such sequence of what lies between their ends. */
function commonLines(one: readonly string[], other: readonly string[]): (readonly [number, number])[] {
  if (one.length * other.length > maxCompared) return []
  const lengths = Array.from({ length: one.length + 1 }, () => new Uint32Array(other.length + 1))
  const at = (row: number, column: number): number => lengths[row]?.[column] ?? 0
  for (let row = one.length - 1; row >= 0; row -= 1) {
    for (let column = other.length - 1; column >= 0; column -= 1) {
      const isSame = isAlike(one[row], other[column])
      const line = lengths[row]
      if (line !== undefined) {
        line[column] = isSame ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1))
      }
    }
  }
  const pairs: [number, number][] = []
  for (let row = 0, column = 0; row < one.length && column < other.length;) {
    if (isAlike(one[row], other[column])) pairs.push([row++, column++])
    else if (at(row + 1, column) >= at(row, column + 1)) row += 1
    else column += 1
  }
  return pairs
}

const named = /^(\s*(?:- )?(?:"[^"\\]{1,80}"|[\w.@/-]{1,80})\s*[:=])(?:\s.*|)$/
const header = /^\s*\[{1,2}[\w."'@/-]{1,120}\]{1,2}\s*(?:#.*)?$/

/** A line of somebody's file with the names that stand in it and nothing of its values. */
export function masked(line: string): string {
  if (/^[\s{}[\],]*$/.test(line)) return line
  if (header.test(line)) return line.replace(/\s*#.*$/, '')
  const [, name] = named.exec(line) ?? []
  const opens = /[{[]\s*$/.exec(line)?.[0]?.trim()
  if (name !== undefined) return `${name} ${opens ?? '…'}`
  return `${/^\s*/.exec(line)?.[0] ?? ''}…`
}

function bare(line: string): string {
  return line.trim().replace(/,$/, '')
}

/** A line of the new text: whole when it is one of ours, else its name. */
function shown(line: string, own: ReadonlySet<string>): string {
  return own.has(bare(line)) ? line : masked(line)
}

function compare(before: readonly string[], after: readonly string[], own: ReadonlySet<string>): ChangeLine[] {
  const lines: ChangeLine[] = []
  let [row, column] = [0, 0]
  for (const [nextRow, nextColumn] of [...commonLines(before, after), [before.length, after.length] as const]) {
    for (; row < nextRow; row += 1) lines.push({ mark: '-', text: masked(before[row] ?? '') })
    for (; column < nextColumn; column += 1) lines.push({ mark: '+', text: shown(after[column] ?? '', own) })
    if (nextRow < before.length) lines.push({ mark: ' ', text: masked(before[row] ?? '') })
    row += 1
    column += 1
  }
  return lines
}

/** How many lines two texts begin with together. */
function sharedStart(one: readonly string[], other: readonly string[]): number {
  const end = Math.min(one.length, other.length)
  for (let at = 0; at < end; at += 1) if (!isAlike(one[at], other[at])) return at
  return end
}

/** The lines that hold nothing of the person's: those of a file with our entry alone. */
export function ownLines(text: string): ReadonlySet<string> {
  return new Set(text.split(/\r?\n/).map(bare))
}

/**
 * What a change does to a file, line by line. Lines that are not ours show their names and never their values.
 * @param change.after as it will be, with words in the place of secrets that are new
 * @param change.own lines that may be shown whole
 */
export function changeLines(change: {
  before: string | undefined
  after: string
  own: ReadonlySet<string>
}): ChangeLine[] {
  const { own } = change
  const before = (change.before ?? '').replace(/\r?\n$/, '').split(/\r?\n/)
  const after = change.after.replace(/\r?\n$/, '').split(/\r?\n/)
  if (change.before === change.after) return []
  if (change.before === undefined || change.before.trim() === '') {
    return after.map((text) => ({ mark: '+', text: shown(text, own) }))
  }
  const start = sharedStart(before, after)
  const [oneRest, otherRest] = [before.slice(start), after.slice(start)]
  const end = sharedStart(oneRest.toReversed(), otherRest.toReversed())
  const asContext = (text: string): ChangeLine => ({ mark: ' ', text: masked(text) })
  const [oneMiddle, otherMiddle] = [oneRest.slice(0, oneRest.length - end), otherRest.slice(0, otherRest.length - end)]
  return [
    ...before.slice(Math.max(0, start - contextLines), start).map(asContext),
    ...compare(oneMiddle, otherMiddle, own),
    ...before.slice(before.length - end, before.length - end + contextLines).map(asContext),
  ]
}
