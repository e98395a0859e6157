// Everything a terminal or a reader could mistake for something else: C0 and C1 controls, bidirectional overrides,
// invisible and zero-width characters, tag characters, lone surrogates.
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]|[\ufe00-\ufe0e]|\p{Surrogate}/gu

/**
 * Text of others, safe to print: characters that steer a terminal or hide from the reader become visible escapes.
 * A line break becomes a space, so that one value stays on one line.
 */
export function printable(text: string): string {
  return text
    .replace(/\r\n|[\n\r\t]/g, ' ')
    .replace(unsafe, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/** Like `printable`, but keeps the lines of a longer text apart. */
export function printableLines(text: string): string[] {
  return text.split(/\r\n|\n|\r/).map(printable)
}

/**
 * JSON text with the same meaning and nothing in it that steers a terminal.
 * @param indent spaces per level; 0 for one line
 */
export function printableJson(value: unknown, indent: number): string {
  return (JSON.stringify(value ?? null, null, indent) ?? 'null').replace(unsafe, (character) =>
    character === '\n'
      ? character
      : Array.from({ length: character.length }, (_, index) => {
          return `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
        }).join(''),
  )
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const wide =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}])/u

function graphemes(text: string): string[] {
  return Array.from(segmenter.segment(text), (part) => part.segment)
}

function cellsOf(grapheme: string): number {
  return wide.test(grapheme) ? 2 : 1
}

/** How many terminal cells a printable text takes. */
export function widthOf(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length
  return graphemes(text).reduce((cells, grapheme) => cells + cellsOf(grapheme), 0)
}

/** The text in at most `maxCells` cells; what was cut shows as `…`. */
export function fit(text: string, maxCells: number): string {
  if (widthOf(text) <= maxCells) return text
  if (maxCells < 1) return ''
  let cells = 0
  let kept = ''
  for (const grapheme of graphemes(text)) {
    cells += cellsOf(grapheme)
    if (cells > maxCells - 1) break
    kept += grapheme
  }
  return `${kept}…`
}
