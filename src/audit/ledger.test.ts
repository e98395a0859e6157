import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { temporaryDataFolder } from '../../test/world/folder.ts'
import { noted, openTestLedger } from '../../test/world/ledger.ts'
import { createLedger } from './ledger.ts'
import { verifyLedger } from './verify/verify.ts'

const clock = { now: () => Date.UTC(2026, 0, 5, 9) }
const person = { id: 'p-1', name: 'ana' }

test('an entry is read back as it was appended, numbered and timed', async () => {
  const { ledger } = await openTestLedger()
  const fields = {
    exchange: 'x-1',
    principal: { ...person, roles: ['admin'] },
    address: '127.0.0.1',
    target: { upstream: 'notes', kind: 'tool' as const, name: 'read' },
    outcome: 'refused' as const,
    refusal: 'policy.not-granted',
    durationMs: 1.5,
    bytes: 812,
    details: { path: '/a', password: 'x' },
  }
  const receipt = await ledger.append(noted, fields)
  expect(receipt).toEqual({ seq: 2, id: expect.stringMatching(/^[0-9a-f-]{36}$/) })
  const [opened, entry] = await ledger.read({})
  expect(opened).toMatchObject({ seq: 1, event: 'ledger.opened', details: { after: 'nothing' } })
  expect(entry).toEqual({
    ...fields,
    ...receipt,
    event: 'test.noted',
    time: '2026-01-05T09:00:00.000Z',
    principal: person,
    details: { path: '/a', password: '[secret]' },
  })
})

test('many appends at once are numbered without gaps, in order, and share commits', async () => {
  const { ledger, dataFolder } = await openTestLedger()
  const receipts = await Promise.all(
    Array.from({ length: 2500 }, (_, n) => ledger.append(noted, { outcome: 'succeeded', details: { n } })),
  )
  expect(receipts.map(({ seq }) => seq)).toEqual(Array.from({ length: 2500 }, (_, n) => n + 2))
  expect(new Set(receipts.map(({ id }) => id)).size).toBe(2500)
  expect(ledger.state()).toEqual({ isWritable: true, size: 2501 })
  const entries = await ledger.read({ after: 1, limit: 1000 })
  expect(entries.map(({ details }) => details?.['n'])).toEqual(Array.from({ length: 1000 }, (_, n) => n))
  expect(await verifyLedger({ folder: dataFolder.path })).toMatchObject({ holds: true, size: 2501 })
})

test('reading narrows by event, person, exchange, refusal and place', async () => {
  const { ledger } = await openTestLedger()
  for (const n of [2, 3, 4, 5])
    await ledger.append(noted, {
      outcome: n === 5 ? 'refused' : 'succeeded',
      exchange: `x-${n % 2}`,
      ...(n < 4 ? { principal: person } : {}),
      ...(n === 5 ? { refusal: 'policy.held' } : {}),
    })
  const seqs = async (query: Parameters<typeof ledger.read>[0]) => (await ledger.read(query)).map(({ seq }) => seq)
  expect(await seqs({ event: 'test.noted' })).toEqual([2, 3, 4, 5])
  expect(await seqs({ event: 'ledger.opened' })).toEqual([1])
  expect(await seqs({ person: 'p-1' })).toEqual([2, 3])
  expect(await seqs({ exchange: 'x-1', person: 'p-1' })).toEqual([3])
  expect(await seqs({ refusal: 'policy.held' })).toEqual([5])
  expect(await seqs({ refusal: "' OR 1=1 --" })).toEqual([])
  expect(await seqs({ limit: 2 })).toEqual([4, 5])
  expect(await seqs({ before: 4, limit: 2 })).toEqual([2, 3])
  expect(await seqs({ after: 1, limit: 2 })).toEqual([2, 3])
  expect(await seqs({ after: 1, before: 3 })).toEqual([2])
  expect(await seqs({ after: 5 })).toEqual([])
})

test('a question without sense is refused; 1000 entries may be asked for, not 1001', async () => {
  const { ledger } = await openTestLedger()
  for (const query of [{ limit: 0 }, { limit: 1001 }, { limit: 1.5 }, { after: -1 }, { before: Number.NaN }])
    await expect(ledger.read(query)).rejects.toMatchObject({ name: 'Misuse', code: 'audit.query' })
  expect(await ledger.read({ limit: 1000 })).toHaveLength(1)
})

test('a tail wakes up with the next entry, when its time is up, when it is called off and at the end', async () => {
  const { ledger } = await openTestLedger()
  await ledger.waitBeyond(0, 60_000)
  await ledger.waitBeyond(1, 1)
  const woken = ledger.waitBeyond(1, 60_000)
  await ledger.append(noted, { outcome: 'succeeded' })
  await woken
  await ledger.waitBeyond(2, 60_000, AbortSignal.abort())
  const calledOff = new AbortController()
  const waiting = ledger.waitBeyond(2, 60_000, calledOff.signal)
  calledOff.abort()
  await waiting
  const last = ledger.waitBeyond(99, 60_000)
  await ledger.close()
  await last
})

test('closing waits for what was appended, and then nothing more is taken', async () => {
  const { ledger, dataFolder } = await openTestLedger()
  const pending = ledger.append(noted, { outcome: 'succeeded' })
  await Promise.all([ledger.close(), ledger.close()])
  expect(await pending).toMatchObject({ seq: 2 })
  await expect(ledger.append(noted, { outcome: 'succeeded' })).rejects.toMatchObject({
    name: 'Fault',
    code: 'audit.ledger-unavailable',
  })
  await expect(ledger.read({})).rejects.toMatchObject({ code: 'audit.ledger-unreadable' })
  expect(ledger.state()).toMatchObject({ isWritable: false, size: 3 })
  expect(await verifyLedger({ folder: dataFolder.path })).toMatchObject({ holds: true, size: 3 })
})

test('a ledger is continued by the next process, which says how the one before ended', async () => {
  const dataFolder = temporaryDataFolder()
  for (const _ of [1, 2]) await (await createLedger({ dataFolder, origin: 'castellan', clock })).close()
  const { ledger } = await openTestLedger(dataFolder)
  const entries = await ledger.read({})
  expect(entries.map(({ event, details }) => [event, details?.['after']])).toEqual([
    ['ledger.opened', 'nothing'],
    ['ledger.closed', undefined],
    ['ledger.opened', 'close'],
    ['ledger.closed', undefined],
    ['ledger.opened', 'close'],
  ])
})

test('a second writer on one folder is refused until the first has closed', async () => {
  const { ledger, dataFolder } = await openTestLedger()
  const second = () => createLedger({ dataFolder, origin: 'castellan', clock })
  await expect(second()).rejects.toMatchObject({ name: 'Misuse' })
  await ledger.append(noted, { outcome: 'succeeded' })
  await ledger.close()
  await (await second()).close()
})

test('every file is for its owner only', async () => {
  const { dataFolder } = await openTestLedger()
  for (const name of readdirSync(dataFolder.path))
    expect([name, statSync(join(dataFolder.path, name)).mode & 0o077]).toEqual([name, 0])
})

test('a ledger that was cut, altered or robbed of its head is not continued', async () => {
  const { DatabaseSync } = await import('node:sqlite')
  const changes: readonly ((folder: string) => void)[] = [
    (folder) => new DatabaseSync(join(folder, 'ledger.db')).exec('DELETE FROM entries WHERE seq = 3'),
    (folder) => new DatabaseSync(join(folder, 'ledger.db')).exec('DELETE FROM entries; DELETE FROM heads'),
    (folder) => new DatabaseSync(join(folder, 'ledger.db')).exec("UPDATE heads SET edge = x''"),
    (folder) => new DatabaseSync(join(folder, 'ledger.db')).exec('DELETE FROM heads WHERE number = 3'),
    (folder) => rmSync(join(folder, 'ledger.db')),
    (folder) => rmSync(join(folder, 'ledger.head')),
    (folder) => writeFileSync(join(folder, 'ledger.head'), 'x'),
  ]
  for (const change of changes) {
    const { ledger, dataFolder } = await openTestLedger()
    await ledger.append(noted, { outcome: 'succeeded' })
    await ledger.close()
    change(dataFolder.path)
    await expect(createLedger({ dataFolder, origin: 'castellan', clock }), String(change)).rejects.toMatchObject({
      name: 'Misuse',
      code: 'audit.ledger-damaged',
    })
  }
})

test('another origin or another key does not continue a ledger', async () => {
  const { ledger, dataFolder } = await openTestLedger()
  await ledger.close()
  await expect(createLedger({ dataFolder, origin: 'other', clock })).rejects.toMatchObject({ code: 'audit.ledger-key' })
  await expect(createLedger({ dataFolder, origin: 'a b', clock })).rejects.toMatchObject({ code: 'audit.origin' })
  dataFolder.remove('ledger-key')
  await expect(createLedger({ dataFolder, origin: 'castellan', clock })).rejects.toMatchObject({
    code: 'audit.ledger-key',
  })
})

test.each([
  ['files.weak-secret', Buffer.alloc(0)],
  ['files.weak-secret', Buffer.alloc(119)],
  ['audit.ledger-key', Buffer.from('-----BEGIN PRIVATE KEY-----\nkettle-orbit\n-----END PRIVATE KEY-----\n')],
])('with a key for signing that is none it does not start: %s', async (code, bytes) => {
  const { ledger, dataFolder } = await openTestLedger()
  await ledger.close()
  dataFolder.writeSecret('ledger-key', bytes)
  await expect(createLedger({ dataFolder, origin: 'castellan', clock })).rejects.toMatchObject({ name: 'Misuse', code })
})

test('what cannot be written as it is, is written in a form that can', async () => {
  const { ledger } = await openTestLedger()
  const target = { upstream: 'notes', kind: 'resource' as const, name: 'https://ana:pw@host/\ud800' }
  await ledger.append(noted, { outcome: 'failed', durationMs: Number.NaN, exchange: 'x'.repeat(5000), target })
  const [, entry] = await ledger.read({})
  expect(entry).toMatchObject({
    durationMs: 0,
    exchange: 'x'.repeat(1024),
    target: { name: 'https://[secret]@host/\ufffd' },
  })
})
