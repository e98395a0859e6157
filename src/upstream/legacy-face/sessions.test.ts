import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createTestClock } from '../../../test/world/clock.ts'
import type { UpstreamRequest } from '../transports/transport.ts'
import { defaultFaceLimits, type FaceLimits } from './face.ts'
import { createFaceSessions, envelopeOf, type FaceSession } from './sessions.ts'

const introduction = { revision: '2025-11-25', capabilities: { roots: {} }, clientInfo: undefined }

function request(ownerId: string, sessionId?: string, upstream = 'books'): UpstreamRequest {
  return {
    upstream: { name: upstream, transport: 'http', environment: {}, isDemo: false },
    ownerId,
    sessionId,
    era: 'legacy',
    httpMethod: 'POST',
    headers: {},
    signal: new AbortController().signal,
    deadlineMs: 1_000,
  }
}

function world(limits: Partial<FaceLimits>) {
  const clock = createTestClock(0)
  const sessions = createFaceSessions({ clock, limits: { ...defaultFaceLimits, ...limits } })
  onTestFinished(() => sessions.close())
  const open = (ownerId: string, upstream?: string): FaceSession | undefined =>
    sessions.open(request(ownerId, undefined, upstream), introduction, {})
  const isOpen = (session: FaceSession | undefined): boolean =>
    sessions.find(request(session?.ownerId ?? '', session?.id, session?.upstream)) !== undefined
  return { clock, sessions, open, isOpen }
}

test('at the bound, the owner’s own longest unused session makes room; another owner’s never does', () => {
  const { clock, open, isOpen } = world({ maxSessionsPerOwner: 2, maxSessions: 3 })
  const [one, two] = [open('ada'), open('ada')]
  clock.advance(1)
  expect(isOpen(one)).toBe(true)
  const three = open('ada')
  expect([one, two, three].map(isOpen)).toEqual([true, false, true])
  expect(two?.ended.aborted).toBe(true)
  const bobs = open('bob')
  expect(bobs).toBeDefined()
  expect(open('eve')).toBeUndefined()
  expect([one, three, bobs].map(isOpen)).toEqual([true, true, true])
})

test('a session in which something is asked or listened to never makes room', () => {
  const { open, isOpen } = world({ maxSessionsPerOwner: 2 })
  const [asking, listening] = [open('ada'), open('ada')]
  asking?.inFlight.set('1', () => undefined)
  if (listening !== undefined) listening.news = { change: async () => undefined }
  expect(open('ada')).toBeUndefined()
  expect([asking, listening].map(isOpen)).toEqual([true, true])
})

test('an idle session ends, one in use does not', async () => {
  const { clock, open, isOpen } = world({ sessionIdleMs: 200 })
  const [idle, listening, asking] = [open('ada'), open('ada'), open('ada')]
  asking?.inFlight.set('1', () => undefined)
  if (listening !== undefined) listening.news = { change: async () => undefined }
  clock.advance(199)
  await sleep(120)
  expect(idle?.ended.aborted).toBe(false)
  clock.advance(1)
  await vi.waitFor(() => expect(idle?.ended.aborted).toBe(true))
  expect([idle, listening, asking].map(isOpen)).toEqual([false, true, true])
})

test('sessions of one upstream end with it, and all of them at the end', () => {
  const { sessions, open, isOpen } = world({})
  const [books, films] = [open('ada'), open('ada', 'films')]
  sessions.endAll('books')
  expect([books, films].map(isOpen)).toEqual([false, true])
  sessions.endAll()
  expect(isOpen(films)).toBe(false)
})

test('logs are asked for where the server has them: from the level on that was set, else from `info`', () => {
  const { sessions } = world({})
  const without = sessions.open(request('ada'), introduction, {})
  const having = sessions.open(request('ada'), introduction, { logging: {} })
  if (without === undefined || having === undefined) throw new Error('there was no room')
  expect(envelopeOf(without).logLevel).toBeUndefined()
  expect(envelopeOf(having)).toEqual({ clientCapabilities: '{"roots":{}}', clientInfo: undefined, logLevel: 'info' })
  having.logLevel = 'error'
  expect(envelopeOf(having).logLevel).toBe('error')
})
