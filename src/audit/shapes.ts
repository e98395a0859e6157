/**
 * What secrets and personal data look like in text.
 * Stops: keys, tokens and personal data that stand in free text.
 * Trusts: literals and check digits; each pattern costs time linear in the text.
 * Fails: towards the mask: what looks like a secret is one.
 */
import { kinds } from './characters.ts'
import { findCards, findIbans } from './numbers.ts'

/** A stretch of text to mask: from `start` to before `end`. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly mask: string
}

/** `needs` and `hint`: what a text must have to be worth the search, first the cheap test, then the dearer one. */
export interface Shape {
  /** Kinds of characters, all of them needed. */
  readonly needs: number
  readonly hint: (text: string) => boolean
  readonly find: (text: string) => readonly Span[]
}

const always = () => true
const none: readonly Span[] = []

/** @param expression global, never empty; group 1, when there is one, is the part to mask */
function pattern(mask: string, expression: RegExp, needs: number, hint: Shape['hint'] = always): Shape {
  return {
    needs,
    hint,
    find: (text) => findAll(text, expression, mask),
  }
}

function findAll(text: string, expression: RegExp, mask: string): readonly Span[] {
  // WHY: one expression used again and again; `matchAll` makes a copy of it for every text.
  expression.lastIndex = 0
  let match = expression.exec(text)
  if (match === null) return none
  const found: Span[] = []
  for (; match !== null; match = expression.exec(text)) {
    const part = match[1] ?? match[0]
    const start = match.index + match[0].length - part.length
    found.push({ start, end: start + part.length, mask })
  }
  return found
}

const contains =
  (...literals: string[]) =>
  (text: string) =>
    literals.some((literal) => text.includes(literal))

const isLocalChar = (code: number) =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || isMark(code)
const isMark = (code: number) => code === 46 || code === 95 || code === 45 || code === 43 || code === 37 || code > 160
const domain = /(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}[\p{L}\p{N}-]{1,62}/uy
const longestLocalChars = 64

function findEmails(text: string): Span[] {
  const found: Span[] = []
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    let start = at
    while (start > 0 && at - start < longestLocalChars && isLocalChar(text.charCodeAt(start - 1))) start -= 1
    domain.lastIndex = at + 1
    if (start < at && domain.test(text)) found.push({ start, end: domain.lastIndex, mask: '[email]' })
  }
  return found
}

const named =
  '(?:passwo?r?d|passwort|passphrase|pwd|secret|token(?!s)|(?:api|access|private|secret|signing)[-_ ]?key|(?<![a-z])otp)'
const value =
  '("(?:[^"\\\\]|\\\\.){0,4096}"?|\'(?:[^\'\\\\]|\\\\.){0,4096}\'?|(?:(?:basic|bearer|digest|token)\\s{1,4})?[^\\s"\'&,;)}\\]]{1,4096})'
const assignment = new RegExp(
  `${named}\\w{0,16}[\\\\"']{0,4}\\s{0,4}[:=](?!\\s{0,8}["']?\\[secret\\])\\s{0,8}${value}`,
  'gi',
)
const headerLine =
  /(?:authorization|cookie)[\\"']{0,4}\s{0,4}[:=](?!\s{0,8}["']?\[secret\])\s{0,8}["']?([^\r\n"']{1,4096})/gi
const assigned = /passw|passp|pwd|secret|token|key|otp/i

const pem =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----(?:[^-]|-(?!----END))*(?:-----END[A-Z0-9 ]{0,60}-----)?/g

const { at, digit, dot, hyphen, longNumber, plus, sign, slash, underscore, A, B, G, I, J, S, k, x } = kinds
const prefixed = /(?:npm_|hf_|dop_v1_)[\w.-]{16,}/g

/** In order of precedence where two start at one place. */
export const shapes: readonly Shape[] = [
  pattern('[private-key]', pem, hyphen | B | G | I, contains('-----BEGIN')),
  pattern('[jwt]', /eyJ[\w-]{10,}(?:\.[\w-]*){0,4}/g, J, contains('eyJ')),
  pattern('[secret]', /cs[tserp]_[\w-]{8,}/g, underscore),
  pattern('[secret]', /(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}/g, A),
  pattern('[secret]', /gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}/g, underscore),
  pattern('[secret]', /(?:xox[a-z]|xapp)-[\w-]{8,}/g, x | hyphen, contains('xox', 'xapp')),
  pattern('[secret]', /AIza[\w-]{20,}/g, A | I, contains('AIza')),
  pattern('[secret]', /(?<![A-Za-z0-9])sk-[\w-]{16,}/g, k | hyphen, contains('sk-')),
  pattern('[secret]', /[srpw][kh](?:_live|_test|sec)_\w{10,}/g, underscore, contains('_live_', '_test_', 'whsec_')),
  pattern('[secret]', /glpat-[\w.-]{16,}/g, hyphen, contains('glpat-')),
  pattern('[secret]', prefixed, underscore, contains('npm_', 'hf_', 'dop_v1_')),
  pattern('[secret]', /SG\.[\w.-]{16,}/g, S | G | dot, contains('SG.')),
  pattern('[secret]', /bearer[ \t]{1,8}([\w+/.~=-]{8,})/gi, 0),
  pattern('[secret]', /:\/\/([^\s/?#@]{0,1024}(?:@[^\s/?#@]{0,256}){0,4})(?=@)/g, sign | slash | at, contains('://')),
  pattern('[secret]', headerLine, sign, (text) => /authorization|cookie/i.test(text)),
  pattern('[secret]', assignment, sign, (text) => assigned.test(text)),
  { needs: at, hint: always, find: findEmails },
  { needs: longNumber, hint: always, find: findCards },
  { needs: digit, hint: (text) => /[A-Za-z]{2}\d{2}/.test(text), find: findIbans },
  pattern('[ssn]', /(?<![\d-])(?!000|666|9)\d{3}(?:-(?!00)\d\d-|[ ](?!00)\d\d[ ])(?!0000)\d{4}(?![\d-])/g, longNumber),
  pattern('[phone]', /(?<![\w.])\+\d(?:[ ()./-]{0,2}\d){6,14}/g, plus | longNumber),
  pattern('[phone]', /(?<![\w.-])(?:1[ .-])?\(?[2-9]\d\d\)?[ .-]{1,2}\d{3}[ .-]\d{4}(?![\w-])/g, longNumber),
  pattern('[phone]', /(?<![\w.+:-])0\d{2,4}[ /-]\d{3,8}(?:[ -]\d{2,6}){0,3}(?![\w:-])/g, longNumber),
]
