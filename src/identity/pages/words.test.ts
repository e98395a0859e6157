import { expect, test } from 'vitest'
import { html, markupOf } from './html.ts'
import { agentWords, duration, foreignName, sentence } from './words.ts'

test.each([
  [0, '1 second'],
  [1, '1 second'],
  [45_000, '45 seconds'],
  [119_000, '119 seconds'],
  [120_000, '2 minutes'],
  [119 * 60_000 + 1, '120 minutes'],
  [2 * 3_600_000, '2 hours'],
  [47 * 3_600_000 + 1, '48 hours'],
  [48 * 3_600_000, '2 days'],
  [30 * 86_400_000, '30 days'],
])('%d ms are told as %s', (ms, told) => {
  expect(duration(ms)).toBe(told)
})

test.each([
  ['Claude', 'Claude'],
  ['  Cla\nude\t ', 'Claude'],
  ['evil\u202Eedoc', 'eviledoc'],
  ['zero\u200Bwidth', 'zerowidth'],
  ['<b>bold</b>', '&lt;b&gt;bold&lt;/b&gt;'],
  ['\u200B\u202E', 'a client without a name'],
  ['x'.repeat(81), `${'x'.repeat(80)}…`],
  ['x'.repeat(80), 'x'.repeat(80)],
])('the name %j is shown as %j, apart from the text around it', (given, shown) => {
  expect(markupOf(foreignName(given))).toBe(`<bdi>${shown}</bdi>`)
})

test.each([
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 Safari/537.36',
    'Chrome on Linux',
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605 (KHTML, like Gecko) Version/19 Safari/605',
    'Safari on macOS',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537 (KHTML, like Gecko) Chrome/1 Safari/537 Edg/1',
    'Edge on Windows',
  ],
  ['castellan/1.0', '<bdi>castellan/1.0</bdi>'],
  ['', 'An unknown program'],
])('%j is %s', (agent, words) => {
  expect(markupOf(html`${agentWords(agent)}`)).toBe(words)
})

test('a sentence of a refusal begins with a capital and ends with a full stop', () => {
  expect(sentence('there is no role called `x`')).toBe('There is no role called x.')
})
