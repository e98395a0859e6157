/**
 * Numbers of payment cards and bank accounts: found by their check digits.
 * Stops: card numbers (ISO/IEC 7812) and IBANs (ISO 13616), grouped or not.
 * Trusts: check digits, first digits and lengths, so that times and counters stay readable.
 * Fails: never.
 */
import type { Span } from './shapes.ts'

const cardRun = /\d(?:[ \u00a0-]?\d){12,}/g

/** First digits by length; a time in milliseconds or nanoseconds is none of these. */
function isCardPrefix(digits: string): boolean {
  if (digits.length === 13) return digits.startsWith('4')
  if (digits.length === 14) return /^3[0689]/.test(digits)
  if (digits.length === 15) return /^(?:3[47]|2131|1800)/.test(digits)
  return /^[2-6]/.test(digits)
}

/** SPEC: ISO/IEC 7812-1, annex B (the Luhn formula). */
export function isCardNumber(digits: string): boolean {
  if (digits.length < 13 || digits.length > 19 || !isCardPrefix(digits)) return false
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48
    const doubled = digit * 2
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

interface Group {
  readonly start: number
  readonly digits: string
}

function cardFrom(groups: readonly Group[], first: number): { end: number; last: number } | undefined {
  let digits = ''
  let best: { end: number; last: number } | undefined
  for (let index = first; index < groups.length; index++) {
    const group = groups[index]
    digits += group?.digits ?? ''
    if (group === undefined || digits.length > 19) break
    if (isCardNumber(digits)) best = { end: group.start + group.digits.length, last: index }
  }
  return best
}

export function findCards(text: string): Span[] {
  const found: Span[] = []
  for (const run of text.matchAll(cardRun)) {
    const groups = Array.from(run[0].matchAll(/\d+/g), (group) => ({
      start: run.index + group.index,
      digits: group[0],
    }))
    for (let index = 0; index < groups.length; index++) {
      const card = cardFrom(groups, index)
      if (card === undefined) continue
      found.push({ start: groups[index]?.start ?? run.index, end: card.end, mask: '[card]' })
      index = card.last
    }
  }
  return found
}

// SPEC: IBAN registry of ISO 13616: country and length.
const ibanLengths = new Map(
  (
    'AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27' +
    'GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22' +
    'MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28' +
    'TL23TN24TR26UA29VA22VG24XK20YE30'
  )
    .match(/.{4}/g)
    ?.map((pair) => [pair.slice(0, 2), Number(pair.slice(2))] as const),
)
const ibanStart = /(?<![A-Za-z0-9])([A-Za-z]{2})\d{2}(?=[ -]?[A-Za-z0-9])/g
const ibanChar = /[A-Za-z0-9]/

/** SPEC: ISO 7064, MOD 97-10, over the number with its first four characters moved to the end. */
function isIban(characters: string): boolean {
  let rest = 0
  for (const character of characters.slice(4) + characters.slice(0, 4)) {
    const digits = Number.parseInt(character, 36)
    rest = (rest * (digits > 9 ? 100 : 10) + digits) % 97
  }
  return rest === 1
}

export function findIbans(text: string): Span[] {
  const found: Span[] = []
  for (const { index: start, 1: country = '' } of text.matchAll(ibanStart)) {
    const length = ibanLengths.get(country.toUpperCase())
    if (length === undefined) continue
    let characters = ''
    let at = start
    for (; at < text.length && characters.length < length; at++) {
      const character = text.charAt(at)
      if (ibanChar.test(character)) characters += character
      else if (!/[ \u00a0-]/.test(character) || !ibanChar.test(text.charAt(at + 1))) break
    }
    if (characters.length === length && isIban(characters)) found.push({ start, end: at, mask: '[iban]' })
  }
  return found
}
