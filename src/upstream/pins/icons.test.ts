import { expect, test } from 'vitest'
import { withoutUnsafeIcons } from './icons.ts'

const written = (icons: unknown) => ` {"uri":"a:b", "n":18446744073709551615 ,"icons": ${JSON.stringify(icons)}}`
const shown = (icons: unknown) => withoutUnsafeIcons(written(icons), JSON.parse(written(icons)))

test('a listed thing keeps icons that may be shown, and every other character', () => {
  for (const src of ['https://x.example/i.png', 'data:image/png;base64,AAAA', 'data:image/svg+xml,<svg/>'])
    expect(shown([{ src }])).toBe(written([{ src }]))
  expect(withoutUnsafeIcons('{"uri":"a:b"}', { uri: 'a:b' })).toBe('{"uri":"a:b"}')
})

test('with an icon that must not be shown, it has none', () => {
  const bare = ' {"uri":"a:b", "n":18446744073709551615 ,"icons": []}'
  const fine = { src: 'https://x.example/i.png' }
  for (const icons of [[fine, { src: 'javascript:alert(1)' }], [{ src: 'file:///etc/passwd' }], [{}], [7], 'x', null])
    expect(shown(icons)).toBe(bare)
})
