import { expect, test } from 'vitest'
import { readConsistency, readInclusion, writeConsistency, writeInclusion } from './proof-text.ts'

const checkpoint = 'castellan\n2\nAAAA\n\n\u2014 castellan BBBB\n'
const hash = Buffer.alloc(32, 7)
const inclusion = { index: 1, entry: Buffer.from('{"seq":2}'), hashes: [hash], checkpoint }
const growth = { from: 1, hashes: [hash], checkpoint }
const coded = hash.toString('base64')

test('a proof of an entry is a tlog-proof with the entry as its extra data', () => {
  const text = writeInclusion(inclusion)
  expect(text).toBe(`c2sp.org/tlog-proof@v1\nextra eyJzZXEiOjJ9\nindex 1\n${coded}\n\n${checkpoint}`)
  expect(readInclusion(text)).toEqual(inclusion)
  expect(readConsistency(text)).toBeUndefined()
})

test('a proof of growth is what a witness is asked with', () => {
  const text = writeConsistency(growth)
  expect(text).toBe(`old 1\n${coded}\n\n${checkpoint}`)
  expect(readConsistency(text)).toEqual(growth)
  expect(readConsistency(writeConsistency({ ...growth, from: 0, hashes: [] }))).toMatchObject({ from: 0, hashes: [] })
  expect(readInclusion(text)).toBeUndefined()
})

test('a text that is not exactly what would be written is no proof', () => {
  const text = writeInclusion(inclusion)
  for (const broken of [
    '',
    'old',
    text.replace('@v1', '@v2'),
    text.replace('index 1', 'index 01'),
    text.replace('index 1', 'index -1'),
    text.replace('index 1', 'index 1 '),
    text.replace('extra ', 'extra  '),
    text.replace('extra eyJ', 'extra -eyJ'),
    text.replace(coded, `${coded}\r`),
    text.replace(coded, coded.slice(0, -1)),
    text.replace(coded, hash.subarray(1).toString('base64')),
    text.replace(`${coded}\n`, `${coded}\n${'!'.repeat(44)}\n`),
  ])
    expect(readInclusion(broken), JSON.stringify(broken)).toBeUndefined()
  const hashes = (count: number) => Array.from({ length: count }, () => hash)
  expect(readInclusion(writeInclusion({ ...inclusion, hashes: hashes(63) }))?.hashes).toHaveLength(63)
  expect(readInclusion(writeInclusion({ ...inclusion, hashes: hashes(64) }))).toBeUndefined()
})
