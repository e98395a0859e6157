import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { cookieNames, readCookie } from './cookies.ts'

function asking(cookie?: string): IncomingMessage {
  return { headers: cookie === undefined ? {} : { cookie } } as IncomingMessage
}

test('behind TLS the names are locked to the host; without it they tell two ports apart', () => {
  expect(cookieNames('https://gate.example')).toEqual({
    session: '__Host-castellan',
    form: '__Host-castellan-form',
    isSecure: true,
  })
  expect(cookieNames('http://localhost:8090').session).toBe('castellan-8090')
  expect(cookieNames('http://localhost').session).toBe('castellan-80')
})

test.each([
  ['a=1; castellan-80=token; b=2', 'token'],
  ['castellan-80=token; castellan-80=token', 'token'],
  ['castellan-80=token; castellan-80=planted', undefined],
  ['xcastellan-80=planted', undefined],
  ['castellan-80-form=other', undefined],
  ['CASTELLAN-80=other', undefined],
  ['', undefined],
])('in %j the cookie is %j', (header, value) => {
  expect(readCookie(asking(header), 'castellan-80')).toBe(value)
})

test('no cookies at all are no cookie', () => {
  expect(readCookie(asking(), 'castellan-80')).toBeUndefined()
})
