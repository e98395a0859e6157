import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { noted } from '../../test/world/ledger.ts'
import { GroupCommit } from './group-commit.ts'
import type { Opened, WriterRequest } from './storage/messages.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A disk that answers when the test says so. */
function createSlowDisk() {
  const asked: { request: WriterRequest; answer: (opened: Opened) => void }[] = []
  const ask = (request: WriterRequest) => new Promise<Opened>((resolve) => asked.push({ request, answer: resolve }))
  return { asked, ask }
}

const opened = (size: number): Opened => ({ size, lastEvent: undefined, unanswered: 0, cutBytes: 0 })
const clock = { now: () => 1_767_603_600_000 }
const fields = { outcome: 'succeeded' } as const

test('a disk that does not answer for ten seconds counts as failed, and what it kept after all is recorded', async () => {
  const { asked, ask } = createSlowDisk()
  const commits = new GroupCommit({ ask, clock, size: 0, onGrown: () => undefined })
  const first = commits.append(noted, fields, true)
  first.catch(() => undefined)
  await vi.advanceTimersByTimeAsync(1)
  const second = commits.append(noted, fields, true)
  second.catch(() => undefined)
  await vi.advanceTimersByTimeAsync(9_990)
  expect(commits.state()).toEqual({ isWritable: true, size: 0 })
  await vi.advanceTimersByTimeAsync(20)
  await expect(first).rejects.toMatchObject({ code: 'audit.ledger-unavailable' })
  await expect(second).rejects.toMatchObject({ code: 'audit.ledger-unavailable' })
  expect(commits.state()).toMatchObject({ isWritable: false, reason: 'the disk does not answer' })

  asked[0]?.answer(opened(1))
  await vi.advanceTimersByTimeAsync(600)
  expect(commits.state()).toMatchObject({ isWritable: false, size: 0 })
  expect(asked[1]?.request).toEqual({ kind: 'open' })
  asked[1]?.answer(opened(1))
  await vi.advanceTimersByTimeAsync(1)
  const third = commits.append(noted, fields, true)
  await vi.advanceTimersByTimeAsync(1)
  const commit = asked[2]?.request
  expect(commit).toMatchObject({ kind: 'commit', firstSeq: 2 })
  const bodies = commit?.kind === 'commit' ? Buffer.from(commit.bodies).toString().split('\0') : []
  expect(JSON.parse(bodies[1] ?? '')).toMatchObject({
    seq: 2,
    event: 'ledger.recovered',
    details: { refused: 2, unanswered: 1 },
  })
  asked[2]?.answer(opened(3))
  await vi.advanceTimersByTimeAsync(1)
  asked[3]?.answer(opened(3))
  expect(await third).toMatchObject({ seq: 3 })
  expect(commits.state()).toEqual({ isWritable: true, size: 3 })
})

function bodiesOf(request: WriterRequest | undefined): unknown[] {
  if (request?.kind !== 'commit') return []
  return Buffer.from(request.bodies)
    .toString()
    .split('\0')
    .slice(1)
    .map((body): unknown => JSON.parse(body))
}

test('an entry that nobody waits for is committed with the next that somebody waits for, or soon by itself', async () => {
  const { asked, ask } = createSlowDisk()
  const commits = new GroupCommit({ ask, clock, size: 0, onGrown: () => undefined })
  void commits.append(noted, fields, false)
  await vi.advanceTimersByTimeAsync(1)
  expect(asked).toHaveLength(0)
  void commits.append(noted, fields, true)
  await vi.advanceTimersByTimeAsync(1)
  expect(bodiesOf(asked[0]?.request)).toMatchObject([{ seq: 1 }, { seq: 2 }])
  void commits.append(noted, fields, false)
  asked[0]?.answer(opened(2))
  await vi.advanceTimersByTimeAsync(1)
  expect(asked).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(5)
  expect(bodiesOf(asked[1]?.request)).toMatchObject([{ seq: 3 }])
})

test('behind a large batch the next one waits a moment for more, but not when it is large enough or nobody is there', async () => {
  const { asked, ask } = createSlowDisk()
  const commits = new GroupCommit({ ask, clock, size: 0, onGrown: () => undefined })
  const append = (count: number) => {
    for (let n = 0; n < count; n++) void commits.append(noted, fields, true)
  }
  append(16)
  await vi.advanceTimersByTimeAsync(1)
  append(1)
  asked[0]?.answer(opened(16))
  await vi.advanceTimersByTimeAsync(2)
  expect(asked).toHaveLength(1)
  append(2)
  await vi.advanceTimersByTimeAsync(2)
  expect(bodiesOf(asked[1]?.request)).toHaveLength(3)
  append(1)
  asked[1]?.answer(opened(19))
  await vi.advanceTimersByTimeAsync(0)
  await vi.advanceTimersByTimeAsync(0)
  expect(bodiesOf(asked[2]?.request)).toHaveLength(1)
  append(16)
  asked[2]?.answer(opened(20))
  await vi.advanceTimersByTimeAsync(1)
  append(64)
  asked[3]?.answer(opened(36))
  await vi.advanceTimersByTimeAsync(1)
  append(1)
  asked[4]?.answer(opened(100))
  await vi.advanceTimersByTimeAsync(1)
  append(63)
  await vi.advanceTimersByTimeAsync(0)
  await vi.advanceTimersByTimeAsync(0)
  expect(asked.slice(3).map(({ request }) => bodiesOf(request).length)).toEqual([16, 64, 64])
})
