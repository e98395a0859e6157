import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mixedWord, plainly, skeleton } from './confusables.ts'

test.each([
  ['case', 'READ_FILE'],
  ['humps', 'readFile'],
  ['a hyphen', 'read-file'],
  ['a dot', 'read.file'],
  ['a space', 'Read File'],
  ['no separator', 'readfile'],
  ['two underscores', 'read__file'],
  ['a one for an l', 'read_fi1e'],
  ['a capital i for an l', 'read_fiIe'],
  ['a Cyrillic е', 'r\u0435ad_file'],
  ['a Cyrillic а', 're\u0430d_file'],
  ['a Greek capital Ε', 'R\u0395AD_FILE'],
  ['full width', '\uff52\uff45\uff41\uff44_file'],
  ['a mathematical letter', '\u{1d42b}ead_file'],
  ['a letter with a dot below', 're\u1ea1d_file'],
  ['a loose accent', 'rea\u0301d_file'],
  ['a zero-width space', 'read\u200b_file'],
  ['a soft hyphen', 'read\u00ad_file'],
  ['tag characters', 'read_file\u{e0061}'],
  ['a direction mark', 'read\u202e_file'],
  ['an en dash', 'read\u2013file'],
  ['a Latin alpha', 're\u0251d_file'],
])('%s makes a look-alike of read_file', (_what, name) => {
  expect(skeleton(name)).toBe(skeleton('read_file'))
})

test.each(['read_files', 'write_file', 'read_fire', 'file_read', 'reed_file', 'read_file_2'])(
  '%s is itself',
  (name) => {
    expect(skeleton(name)).not.toBe(skeleton('read_file'))
  },
)

test.each([
  ['m', 'rn'],
  ['w', 'vv'],
  ['o', '0'],
  ['O', '\u041e'],
  ['l', '1'],
  ['I', '\u0399'],
  ['h', '\u04bb'],
])('%s and %s are read as one', (one, other) => {
  expect(skeleton(`get_${one}_x`)).toBe(skeleton(`get_${other}_x`))
})

test('a skeleton has nothing left to take away, and telling it takes no longer than the text explains', () => {
  const names = fc.string({ unit: 'binary', maxLength: 200 })
  fc.assert(
    fc.property(names, (name) => {
      expect(plainly(skeleton(name))).toBe(skeleton(name))
      expect(skeleton(name.toLowerCase())).toBe(skeleton(name.toLowerCase()))
    }),
  )
  const startedAt = performance.now()
  skeleton('\u0430\u0301'.repeat(50_000))
  expect(performance.now() - startedAt).toBeLessThan(1_000)
})

test('a word in letters of several scripts is found; several words of one script each are not', () => {
  expect(mixedWord('Read f\u0456le')).toBe('f\u0456le')
  expect(mixedWord('p\u03b1th')).toBe('p\u03b1th')
  expect(mixedWord('Read файл now')).toBeUndefined()
  expect(mixedWord('résumé 文件 file')).toBeUndefined()
})
