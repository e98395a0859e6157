/**
 * What does a reader take this text for?
 *
 * Stops: names that only a machine tells apart: other letters of one shape, case, spacing, hyphens, marks, unseen characters.
 * Trusts: nothing. It knows the letters below, not all that Unicode has; names of tools need no other than ASCII.
 * Fails: two texts that look alike and are not in the table count as different.
 * @see UTS 39, confusable detection; docs/decisions/0027
 */
import { fold } from '#protocol'

/** By what they are read as: letters of other scripts and shapes that compatibility normalization leaves alone. */
const readAs: Readonly<Record<string, string>> = {
  a: 'аАαΑɑᴀꭺᎪ',
  ae: 'ӕӔæÆ',
  b: 'ВвЬьΒβƅʙᏴ',
  c: 'сСϲϹᴄᏟꮯⅽ',
  d: 'ԁԀᎠᴅđĐðÐꓓ',
  e: 'еЕεΕҽᴇᎬєЄ',
  f: 'ϜϝғꞘẝ',
  g: 'ɡɢᏀԍԌց',
  h: 'һҺнНΗհᎻʜħĦ',
  i: 'іІιΙıɩɪӀӏᎥⅰ',
  j: 'јЈϳͿȷᴊᎫյ',
  k: 'кКκΚᴋᏦқ',
  l: 'ʟᏞꞁłŁ١۱ا|ǀ∣│',
  m: 'мМΜᴍᎷϺ',
  n: 'ηΝпոɴՈ',
  o: 'оОοΟσөӨօՕᴏøØ०০੦૦௦౦൦๐໐০߀٥۵օ',
  p: 'рРρΡᴘᏢþÞƿ',
  q: 'ԛԚզɋ',
  r: 'гᴦʀᎡꮁ',
  s: 'ѕЅՏᏚꜱʂƽ',
  t: 'тТτΤᴛᎢŧŦ',
  u: 'υμսՍᴜцʋ',
  v: 'νѵѴᴠᏙ٧۷',
  w: 'ωԝԜᎳᴡɯѡ',
  x: 'хХχΧ×',
  y: 'уУүҮΥʏγЎў',
  z: 'ΖζᏃᴢʐ',
}

const letters: ReadonlyMap<string, string> = new Map(
  Object.entries(readAs).flatMap(([letter, shapes]) => Array.from(shapes, (shape) => [shape, letter] as const)),
)

function letterOf(character: string): string {
  return letters.get(character) ?? character
}

/** Everything between words: spaces, underscores, hyphens and dashes, dots, slashes, colons. */
const separators = /[\s\p{Pd}\p{Pc}\p{Zs}.,:;/\\·・−⁄∕'’`]/gu

/**
 * A text in which everything that looks alike is equal. Two names with one skeleton are look-alikes: `read_file`,
 * `Read File`, `read-fi1e`, `rеad_file` with a Cyrillic letter.
 * @param text at most a few thousand characters; the time taken grows with its length
 */
export function skeleton(text: string): string {
  const shapes = Array.from(text.normalize('NFKC'), letterOf).join('')
  // WHY: marks are taken off before the letters are looked up once more: `ё` is a `е` with dots.
  const bare = fold(shapes).normalize('NFD').replace(/\p{M}/gu, '')
  return Array.from(bare, letterOf)
    .join('')
    .replace(separators, '')
    .replaceAll('0', 'o')
    .replace(/[1i]/g, 'l')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
}

/** A text as its writer meant it, without case and spacing: what differs here but not in the skeleton is a disguise. */
export function plainly(text: string): string {
  return text.toLowerCase().replace(separators, '')
}

const scripts = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u, /\p{Script=Armenian}/u]

/** The first word that is written in letters of several scripts that look alike. */
export function mixedWord(text: string): string | undefined {
  return text.split(/[^\p{L}\p{M}\p{N}]+/u).find((word) => scripts.filter((script) => script.test(word)).length > 1)
}
