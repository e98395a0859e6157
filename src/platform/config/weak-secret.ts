/** Words of examples, manuals and default installations, longest first where one holds another. */
const triedWords = (
  'castellan placeholder postgresql credential credentials development administrator changethis letmein passphrase ' +
  'correcthorsebatterystaple trustno1 password passwort postgres changeme changeit replaceme replace insecure ' +
  'example examples sample default database welcome monkey dragon testing secret secrets sekret passwd qwerty ' +
  'qwertz azerty iloveyou hunter2 hunter access string staging master public private bearer server system ' +
  'production sesame please change admin guest token value super tests basic local mysql pgsql hello there ' +
  'dummy fixme mykey apikey test root user pass word here this your none null todo demo temp prod team auth ' +
  'xxxx asdf key api foo bar baz dev new old abc pwd top set not put use the with for and of on safe real live main gateway mcp ' +
  'jwt app me my it to in db sa pg is'
)
  .split(' ')
  .sort((one, other) => other.length - one.length)

const keyboardRows = ['1234567890', 'qwertyuiop', 'qwertzuiop', 'azertyuiop', 'asdfghjkl', 'zxcvbnm', 'yxcvbnm']

const templatePattern = /^(<.*>|\$\{.*\}|\{\{.*\}\}|\$\(.*\)|%.*%|\[.*\]|\.{3,}|\*+|#+|_+)$/s

/** A year, a date, a counter; more digits may be a secret of their own. */
const datedDigits = 8

/** Of what is left of a secret when everything predictable is taken away. */
const leastUnpredictableShare = 0.3

/**
 * Why a secret that somebody chose must not be used, to be put behind its name: `is a placeholder`; undefined when
 * nothing speaks against it. Never holds any part of the secret.
 */
export function weaknessOf(
  secret: string,
  { leastChars, names = [] }: { leastChars: number; names?: readonly string[] },
): string | undefined {
  if (secret.trim() === '') return 'is empty'
  if (templatePattern.test(secret.trim()) || isMadeOfTriedWords(secret)) return 'is a placeholder or a known default'
  if (names.some((name) => name !== '' && name.toLowerCase() === secret.toLowerCase())) return 'repeats a name'
  if ([...secret].length < leastChars) return `is shorter than ${leastChars} characters`
  return isPredictable(secret) ? 'can be guessed: it repeats itself or follows a sequence' : undefined
}

/** Nothing but words that everybody tries first, and short numbers and signs between them. */
function isMadeOfTriedWords(secret: string): boolean {
  const written = secret.toLowerCase()
  const meant = written
    .replaceAll(/^\d{1,4}|\d{1,4}$/g, '')
    .replaceAll(/[0134578@$!|]/g, (sign) => meantBy[sign] ?? sign)
  return [written, meant].map((one) => one.replaceAll(/[^a-z0-9]/g, '')).some(isEatenUp)
}

/** `p4$$w0rd` as it is meant. */
const meantBy: Readonly<Record<string, string | undefined>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '@': 'a',
  $: 's',
  '!': 'i',
  '|': 'l',
}

function isEatenUp(written: string): boolean {
  const rest = triedWords.reduce((left, word) => left.replaceAll(word, ' '), written)
  const digits = rest.replaceAll(/\D/g, '').length
  const letters = rest.replaceAll(/[\d ]/g, '').length
  return /[a-z]/.test(written) && letters <= 1 && digits <= datedDigits
}

function isPredictable(secret: string): boolean {
  const chars = [...secret.toLowerCase()]
  const fresh = chars.filter((char, at) => at === 0 || !follows(chars[at - 1] ?? '', char)).length
  const least = Math.ceil(chars.length * leastUnpredictableShare)
  return fresh < least || repeats(chars.join('')) || (chars.length >= 8 && new Set(chars).size < 5)
}

/** The same again, the next or the one before in the alphabet, or the neighbour on a keyboard. */
function follows(before: string, char: string): boolean {
  if (Math.abs(char.charCodeAt(0) - before.charCodeAt(0)) <= 1) return true
  return keyboardRows.some((row) => row.includes(before + char) || row.includes(char + before))
}

/** One piece over and over, the last time perhaps cut short. */
function repeats(written: string): boolean {
  for (let size = 1; size <= written.length / 3; size++) {
    const piece = written.slice(0, size)
    if (written === piece.repeat(Math.ceil(written.length / size)).slice(0, written.length)) return true
  }
  return false
}
