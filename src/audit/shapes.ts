/**
 * What secrets and personal data look like in text.
 * Stops: keys, tokens and personal data that stand in free text.
 * Trusts: literals and check digits; each pattern costs time linear in the text.
 * Fails: towards the mask: what looks like a secret is one.
 */
import { findCards, findIbans } from './numbers.ts'

/** A stretch of text to mask: from `start` to before `end`. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly mask: string
}

/** `hint`: what a text must contain to be worth the search. */
export interface Shape {
  readonly hint: (text: string) => boolean
  readonly find: (text: string) => Span[]
}

/** @param pattern global; group 1, when there is one, is the part to mask */
function pattern(mask: string, expression: RegExp, hint: Shape['hint']): Shape {
  return {
    hint,
    find: (text) =>
      Array.from(text.matchAll(expression), (match) => {
        const part = match[1] ?? match[0]
        const start = match.index + match[0].length - part.length
        return { start, end: start + part.length, mask }
      }),
  }
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

const hasDigits = (text: string) => /\d[^]{5,}\d/.test(text)
const hasSign = (text: string) => text.includes('=') || text.includes(':')
const pem =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----(?:[^-]|-(?!----END))*(?:-----END[A-Z0-9 ]{0,60}-----)?/g

/** In order of precedence where two start at one place. */
export const shapes: readonly Shape[] = [
  pattern('[private-key]', pem, contains('-----BEGIN')),
  pattern('[jwt]', /eyJ[\w-]{10,}(?:\.[\w-]*){0,4}/g, contains('eyJ')),
  pattern('[secret]', /cs[tse]_[\w-]{8,}/g, contains('cst_', 'css_', 'cse_')),
  pattern('[secret]', /(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}/g, contains('AKIA', 'ASIA', 'ABIA', 'ACCA')),
  pattern('[secret]', /gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}/g, (text) => /gh[pousr]_|github_pat_/.test(text)),
  pattern('[secret]', /(?:xox[a-z]|xapp)-[\w-]{8,}/g, contains('xox', 'xapp')),
  pattern('[secret]', /AIza[\w-]{20,}/g, contains('AIza')),
  pattern('[secret]', /(?<![A-Za-z0-9])sk-[\w-]{16,}/g, contains('sk-')),
  pattern('[secret]', /[srpw][kh](?:_live|_test|sec)_\w{10,}/g, contains('_live_', '_test_', 'whsec_')),
  pattern(
    '[secret]',
    /(?:glpat-|npm_|hf_|dop_v1_|SG\.)[\w.-]{16,}/g,
    contains('glpat-', 'npm_', 'hf_', 'dop_v1_', 'SG.'),
  ),
  pattern('[secret]', /bearer[ \t]{1,8}([\w+/.~=-]{8,})/gi, (text) => /bearer[ \t]/i.test(text)),
  pattern(
    '[secret]',
    /:\/\/([^\s/?#@]{0,1024}(?:@[^\s/?#@]{0,256}){0,4})(?=@)/g,
    (text) => text.includes('://') && text.includes('@'),
  ),
  pattern('[secret]', headerLine, (text) => hasSign(text) && /authorization|cookie/i.test(text)),
  pattern('[secret]', assignment, (text) => hasSign(text) && assigned.test(text)),
  { hint: contains('@'), find: findEmails },
  { hint: hasDigits, find: findCards },
  { hint: (text) => /[A-Za-z]{2}\d{2}/.test(text), find: findIbans },
  pattern('[ssn]', /(?<![\d-])(?!000|666|9)\d{3}(?:-(?!00)\d\d-|[ ](?!00)\d\d[ ])(?!0000)\d{4}(?![\d-])/g, hasDigits),
  pattern('[phone]', /(?<![\w.])\+\d(?:[ ()./-]{0,2}\d){6,14}/g, contains('+')),
  pattern('[phone]', /(?<![\w.-])(?:1[ .-])?\(?[2-9]\d\d\)?[ .-]{1,2}\d{3}[ .-]\d{4}(?![\w-])/g, hasDigits),
  pattern('[phone]', /(?<![\w.+:-])0\d{2,4}[ /-]\d{3,8}(?:[ -]\d{2,6}){0,3}(?![\w:-])/g, hasDigits),
]

/** One pass for the many texts without any of it: each shape above needs one of these. */
export function isSuspect(text: string): boolean {
  return suspects.test(text)
}

const suspects = /[@=:+_\d]|eyJ|-----B|A[KSBC][IC]A|AIza|xox|xapp|sk-|glpat-|SG\.|bearer/i
