/**
 * May this password be chosen? Long enough, well-formed, and not one that is guessed first.
 * Stops known passwords, repetitions, rows of keys, and passwords made of the person's or the product's name.
 * Trusts nothing. Fails by refusing, with the rule that was broken; never with the password.
 * @see NIST SP 800-63B-4, section 3.1.1; ASVS 6.2.1, 6.2.4, 6.2.5, 6.2.8, 6.2.9, 6.2.11
 */
import { type Refusal, refuse } from '#kernel'
import { commonPasswords } from './common-passwords.ts'
import { passwordRefusals as refusals } from './refusals.ts'

/** Code points that are enough where a second factor is asked for as well. */
export const leastWithSecondFactor = 8
/** Code points where the password stands alone. */
export const leastAlone = 15
/** UTF-8 bytes; more is refused and never cut. */
export const mostPasswordBytes = 1024

const keyRows = [
  '`1234567890-=',
  'qwertyuiop[]',
  'asdfghjkl;',
  'zxcvbnm,./',
  'abcdefghijklmnopqrstuvwxyz',
  '0123456789',
]
const columns = '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p'
const rows = [...keyRows, columns].flatMap((row) => [row.repeat(2), [...row.repeat(2)].toReversed().join('')])

function isRepetition(text: string): boolean {
  // WHY: a text that is a shorter one repeated is found inside itself doubled, away from its ends.
  const period = (text + text).indexOf(text, 1)
  if (period === text.length) return false
  const unit = text.slice(0, period)
  return [...unit].length <= 4 || isKnown(unit)
}

function isRowOfKeys(text: string): boolean {
  let rest = text
  for (let pieces = 0; pieces < 2 && rest !== ''; pieces++) {
    let length = rest.length
    while (length >= 3 && !rows.some((row) => row.includes(rest.slice(0, length)))) length--
    if (length < 3) return false
    rest = rest.slice(length)
  }
  return rest === ''
}

function isKnown(text: string): boolean {
  return commonPasswords().has(text)
}

/** A known password or word with up to six digits or signs put around it. */
function isKnownDressed(text: string): boolean {
  const letters = [...text.matchAll(/\p{L}/gu)]
  const [first, last] = [letters[0], letters.at(-1)]
  const core = first === undefined || last === undefined ? '' : text.slice(first.index, last.index + last[0].length)
  return core.length >= 4 && text.length - core.length <= 6 && isKnown(core)
}

/** Made of names that everyone knows and fewer than four letters of its own. */
function isMadeOf(text: string, words: readonly string[]): boolean {
  const own = words.filter((word) => word.length >= 3).reduce((rest, word) => rest.replaceAll(word, ' '), text)
  return own !== text && (own.match(/\p{L}/gu) ?? []).length < 4
}

function guessable(password: string, words: readonly string[]): boolean {
  const text = password.normalize('NFKC').toLowerCase()
  const context = ['castellan', ...words.flatMap((word) => contextOf(word))]
  return isKnown(text) || isRepetition(text) || isRowOfKeys(text) || isKnownDressed(text) || isMadeOf(text, context)
}

function contextOf(word: string): string[] {
  const plain = word.normalize('NFKC').toLowerCase()
  return [plain, ...plain.split(/[\s._-]+/)].toSorted((one, other) => other.length - one.length)
}

export interface PasswordCircumstances {
  /** A second factor is asked for at every sign-in with it. */
  readonly hasSecondFactor: boolean
  /** What everybody knows about the person: their names. */
  readonly words: readonly string[]
}

/** Length in code points: what a person counts as characters. */
export function passwordLength(password: string): number {
  return [...password].length
}

/**
 * The rule a password breaks, or undefined. Any characters in any composition are fine. It is later hashed and compared
 * exactly as typed, as UTF-8: no trimming, no case folding, no Unicode normalisation.
 */
export function refusePassword(password: string, circumstances: PasswordCircumstances): Refusal | undefined {
  if (Buffer.byteLength(password) > mostPasswordBytes) return refuse(refusals.passwordTooLong)
  // WHY: half a surrogate pair becomes the same replacement character whichever half it is.
  if (!password.isWellFormed()) return refuse(refusals.passwordUnreadable)
  const least = circumstances.hasSecondFactor ? leastWithSecondFactor : leastAlone
  if (passwordLength(password) < least) return refuse(refusals.passwordTooShort, { names: { least: String(least) } })
  return guessable(password, circumstances.words) ? refuse(refusals.passwordCommon) : undefined
}
