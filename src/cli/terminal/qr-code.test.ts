import { createRequire } from 'node:module'
import type jsQR from 'jsqr'
import { expect, test } from 'vitest'
import { canShowQr, qrLines, qrWidth } from './qr-code.ts'

// WHY: the package's types and its CommonJS export do not agree about a default export.
const decode = createRequire(import.meta.url)('jsqr') as typeof jsQR.default

const uri =
  'otpauth://totp/castellan:ana?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=castellan&algorithm=SHA1&digits=6&period=30'

const white = [255, 255, 255] as const
const black = [0, 0, 0] as const
type Colour = readonly [number, number, number]
interface Theme {
  readonly ground: Colour
  readonly ink: Colour
}
const dark: Theme = { ground: black, ink: white }
const light: Theme = { ground: white, ink: black }

const modulePixels = 4
const marginCells = 3

/** Cells as a terminal paints them: two square pixels above each other, in the colours in force. */
function paintLine(line: string, theme: Theme): { upper: Colour[]; lower: Colour[] } {
  const upper: Colour[] = []
  const lower: Colour[] = []
  let { ground, ink } = theme
  for (const [token, parameters] of line.matchAll(/\u001b\[([\d;]*)m|[^\u001b]/gu)) {
    if (parameters !== undefined) {
      for (const code of parameters.split(';')) {
        if (code === '97') ink = white
        if (code === '40') ground = black
        if (code === '0') ({ ground, ink } = theme)
      }
      continue
    }
    upper.push(token === '█' || token === '▀' ? ink : ground)
    lower.push(token === '█' || token === '▄' ? ink : ground)
  }
  return { upper, lower }
}

function paint(lines: readonly string[], theme: Theme): { bytes: Uint8ClampedArray; width: number; height: number } {
  const rows = lines.flatMap((line) => {
    const { upper, lower } = paintLine(line, theme)
    return [upper, lower]
  })
  const cells = Math.max(...rows.map((row) => row.length)) + 2 * marginCells
  const blank: Colour[] = []
  const all = [
    ...Array.from({ length: marginCells }, () => blank),
    ...rows,
    ...Array.from({ length: marginCells }, () => blank),
  ]
  const width = cells * modulePixels
  const height = all.length * modulePixels
  const bytes = new Uint8ClampedArray(width * height * 4)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const row = all[Math.floor(y / modulePixels)] ?? blank
      const [red, green, blue] = row[Math.floor(x / modulePixels) - marginCells] ?? theme.ground
      bytes.set([red, green, blue, 255], (y * width + x) * 4)
    }
  }
  return { bytes, width, height }
}

test.each([
  ['dark', dark],
  ['light', light],
])('a scanner reads the code from a %s terminal', (_name, theme) => {
  const { bytes, width, height } = paint(qrLines(uri), theme)
  expect(decode(bytes, width, height, { inversionAttempts: 'dontInvert' })?.data).toBe(uri)
})

test('every line sets both of its colours and ends them', () => {
  for (const line of qrLines(uri)) {
    expect(line.startsWith('\u001b[97;40m')).toBe(true)
    expect(line.endsWith('\u001b[0m')).toBe(true)
  }
})

test('the code fits a terminal of 80 columns and 24 lines above the secret', () => {
  expect(qrWidth(uri)).toBeLessThanOrEqual(60)
  expect(qrLines(uri).length).toBeLessThanOrEqual(30)
})

test.each([
  ['wide enough, UTF-8', { LANG: 'en_US.UTF-8', TERM: 'xterm' }, 45, true],
  ['one column short', { LANG: 'en_US.UTF-8', TERM: 'xterm' }, 44, false],
  ['a dumb terminal', { LANG: 'en_US.UTF-8', TERM: 'dumb' }, 80, false],
  ['a locale without UTF-8', { LC_ALL: 'C', TERM: 'xterm' }, 80, false],
])('%s: the code is shown only where it can be read', (_where, environment, columns, isShown) => {
  expect(canShowQr(environment, { columns, neededCells: 45 })).toBe(isShown)
})
