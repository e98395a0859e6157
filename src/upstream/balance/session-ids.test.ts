import { expect, test } from 'vitest'
import { idAtEndpoint, readSessionId } from './session-ids.ts'

test('the id of a lone endpoint stays as it is, unless it looks like one of several', () => {
  expect(idAtEndpoint('aaaaaaaa', 'session', true)).toBe('session')
  expect(readSessionId('session')).toBeUndefined()
  const tricky = '~bbbbbbbb.session'
  expect(readSessionId(idAtEndpoint('aaaaaaaa', tricky, true))).toEqual({ endpoint: 'aaaaaaaa', sessionId: tricky })
})

test.each(['s', 'a.b', '~', '~x.y', '~AAAAAAAA.x', '~bbbbbbbb.', '~bbbbbbbb.~cccccccc.d'])(
  'the id %s of one of several endpoints comes back as it was, with the endpoint',
  (own) => {
    const id = idAtEndpoint('k3f9x2ab', own, false)
    expect(id).toMatch(/^[\x21-\x7e]+$/)
    expect(readSessionId(id)).toEqual({ endpoint: 'k3f9x2ab', sessionId: own })
  },
)

test.each(['~', '~short.x', '~UPPERCAS.x', '~k3f9x2ab'])('%s names no endpoint', (id) => {
  expect(readSessionId(id)).toBeUndefined()
})
