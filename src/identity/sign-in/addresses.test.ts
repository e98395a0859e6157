import { expect, test } from 'vitest'
import { sourceOf } from './addresses.ts'

test('an IPv4 address is a source, however it is carried', () => {
  expect(['192.0.2.7', '::ffff:192.0.2.7', '::FFFF:C000:207', ' [::ffff:192.0.2.7] '].map(sourceOf)).toEqual(
    Array(4).fill('192.0.2.7'),
  )
})

test('an IPv6 /64 is one source, the next one another', () => {
  expect(sourceOf('2001:db8::1')).toBe('2001:db8:0:0/64')
  expect(sourceOf('2001:db8:0:0:ffff:ffff:ffff:ffff')).toBe('2001:db8:0:0/64')
  expect(sourceOf('2001:db8:0:1::1')).toBe('2001:db8:0:1/64')
  expect(sourceOf('fe80::1%eth0')).toBe('fe80:0:0:0/64')
})

test('this machine is one source on both protocols', () => {
  expect(['127.0.0.1', '::1', '::ffff:127.0.0.1'].map(sourceOf)).toEqual(Array(3).fill('this machine'))
})

test('what cannot be read is one source', () => {
  expect(['', 'unknown', 'x:y', '/run/socket'].map(sourceOf)).toEqual(Array(4).fill('elsewhere'))
})
