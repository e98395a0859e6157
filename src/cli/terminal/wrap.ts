import { printable, widthOf } from './printable.ts'
import type { Span } from './table.ts'

/** Puts a part of a span at the end of a line, together with what came of the same span before. */
function append(line: Span[], span: Span, text: string): void {
  const last = line.at(-1)
  const tone = typeof span === 'string' ? undefined : span.tone
  const isSame = last !== undefined && (typeof last === 'string' ? undefined : last.tone) === tone
  const whole = isSame ? textOf(last) + text : text
  line.splice(isSame ? -1 : line.length, 1, tone === undefined ? whole : { text: whole, tone })
}

function textOf(span: Span): string {
  return printable(typeof span === 'string' ? span : span.text)
}

/** The start of a text that fits; of a whole line, at least one character. */
function cut(text: string, room: number, maxCells: number): string {
  let kept = ''
  for (const character of text) {
    if (widthOf(kept + character) > room && (kept !== '' || room < maxCells)) return kept
    kept += character
  }
  return kept
}

/** Words with the white space before each; what stands in backticks is to be pasted, and one word where it fits a line. */
function wordsOf(text: string, maxCells: number): string[] {
  const words = text.match(/\s*`[^`]+`[^\s`]*|\s*[^\s`]+|\s*`|\s+$/g) ?? []
  return words.flatMap((word) => (widthOf(word) > maxCells ? (word.match(/\s*\S+|\s+$/g) ?? []) : [word]))
}

/**
 * Spans as lines of at most so many cells, broken between words; a word that is too long is broken anywhere, so that
 * nothing is left out.
 * @param maxCells at least 1; Infinity for one line
 */
export function wrapSpans(spans: readonly Span[], maxCells: number): Span[][] {
  const lines: Span[][] = [[]]
  let room = maxCells
  const breakLine = () => {
    lines.push([])
    room = maxCells
  }
  const put = (span: Span, text: string) => {
    append(lines.at(-1) ?? [], span, text)
    room -= widthOf(text)
  }
  for (const span of spans) {
    for (const word of wordsOf(textOf(span), maxCells)) {
      const cells = widthOf(word)
      if (cells > room && cells <= maxCells) breakLine()
      let rest = room === maxCells && lines.length > 1 ? word.trimStart() : word
      while (widthOf(rest) > room) {
        const start = cut(rest, room, maxCells)
        if (start !== '') put(span, start)
        rest = rest.slice(start.length)
        breakLine()
      }
      if (rest !== '') put(span, rest)
    }
  }
  return lines
}
