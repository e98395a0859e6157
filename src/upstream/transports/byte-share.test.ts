import { expect, test } from 'vitest'
import { ByteShare } from './byte-share.ts'

test('half a second of bytes may come at once; one more waits', () => {
  const share = new ByteShare(1_000, 0)
  expect(share.take(4_096_000, 1_000, 0)).toBe(0)
  expect(share.take(1, 1_000, 0)).toBe(1)
})

test('8 KiB for each event of the rate can be read for ever, and what is more waits as long as it takes', () => {
  const share = new ByteShare(100, 0)
  for (let second = 1; second <= 600; second += 1)
    for (let part = 0; part < 4; part += 1) expect(share.take(204_800, 100, second * 1_000 + part * 250)).toBe(0)
  expect(share.take(819_200 * 10, 100, 601_000)).toBeGreaterThan(9_000)
})
