import { encode } from 'uqr'

// WHY: a scanner needs dark modules on a light ground. Both colours are set on each line, so neither a light nor a
// dark theme inverts them, and the reset keeps them from running to the edge of the window.
const whiteOnBlack = '\u001b[97;40m'
const reset = '\u001b[0m'
const quietModules = 2
const blocks = { none: ' ', upper: '▀', lower: '▄', both: '█' } as const

function block(isUpperLight: boolean, isLowerLight: boolean): string {
  if (isUpperLight) return isLowerLight ? blocks.both : blocks.upper
  return isLowerLight ? blocks.lower : blocks.none
}

/**
 * A QR code for a terminal, two modules in one character, with its quiet zone.
 * A light module is a filled white block, a dark one the black ground.
 */
export function qrLines(text: string): string[] {
  const { data, size } = encode(text, { ecc: 'L', border: quietModules })
  const isLight = (row: number, column: number): boolean => row >= size || data[row]?.[column] !== true
  const lines: string[] = []
  for (let row = 0; row < size; row += 2) {
    const line = Array.from({ length: size }, (_, column) => block(isLight(row, column), isLight(row + 1, column)))
    lines.push(`${whiteOnBlack}${line.join('')}${reset}`)
  }
  return lines
}

/** Cells that the widest line takes. */
export function qrWidth(text: string): number {
  return encode(text, { ecc: 'L', border: quietModules }).size
}

/** Whether this terminal can show one: wide enough, not dumb, UTF-8. */
export function canShowQr(
  environment: Readonly<Record<string, string | undefined>>,
  options: { columns: number; neededCells: number },
): boolean {
  if (environment['TERM'] === 'dumb' || options.columns < options.neededCells) return false
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || ''
  return locale === '' || /utf-?8/i.test(locale)
}
