import { expect, test } from 'vitest'
import { markupOf } from '../pages/html.ts'
import { mostShownChars, shownCall, writtenOut } from './shown-call.ts'

test('a call is shown with a line for each member', () => {
  expect(writtenOut('{"arguments":{"to":"ben","amount":1e21}}')).toBe(
    '{\n  "arguments": {\n    "to": "ben",\n    "amount": 1e+21\n  }\n}',
  )
})

test('what is not seen, or reorders what is, is written out', () => {
  const hidden = [
    '\u202e',
    '\u200b',
    '\u00ad',
    '\u2060',
    '\ufeff',
    '\u00a0',
    '\u2028',
    '\u3164',
    '\u2800',
    '\ufe0f',
    '\u0085',
  ]
  for (const sign of [...hidden, '\u{e0041}']) {
    const shown = writtenOut(JSON.stringify({ text: `a${sign}b` }))
    expect(shown).not.toContain(sign)
    expect(shown).toMatch(/"a(?:\\u[0-9a-f]{4}){1,2}b"/)
  }
  expect(writtenOut('{"text":"a b é ש 漢 \\n \\\\u202e"}')).toBe('{\n  "text": "a b é ש 漢 \\n \\\\u202e"\n}')
})

test('markup in a call is text on the page', () => {
  const shown = markupOf(shownCall('{"text":"</code><script>"}', 10))
  expect(shown).toContain('&lt;/code&gt;&lt;script&gt;')
  expect(shown).not.toContain('<script>')
})

test('a call is shown whole at the limit, and said to be cut past it', () => {
  const whole = JSON.stringify({ text: 'x'.repeat(mostShownChars - 11) })
  expect(whole).toHaveLength(mostShownChars)
  expect(markupOf(shownCall(whole, mostShownChars))).not.toContain('role="alert"')
  const cut = markupOf(shownCall(whole, mostShownChars + 1))
  expect(cut).toContain('role="alert"')
  expect(cut).toContain(`Only the first ${mostShownChars} of ${mostShownChars + 1} characters`)
})
