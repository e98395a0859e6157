import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'

import { temporaryFolder } from '../../../test/world/folder.ts'
import { noted, openTestLedger } from '../../../test/world/ledger.ts'
import { createHeadSigner, createHeadVerifier, makeLedgerKey } from '../heads.ts'
import { hashLeaf, TreeEdge } from '../merkle.ts'
import { type Verdict, verifyLedger } from './verify.ts'

/** Entry 1 opens the ledger, 8 closes it; 2, 3–5 and 6–7 are batches of their own. */
const size = 8
const batches = [
  [1, 1],
  [2, 2],
  [3, 5],
  [6, 7],
  [8, 8],
] as const

async function makeLedger(): Promise<string> {
  const { ledger, dataFolder } = await openTestLedger()
  const append = (n: number) => ledger.append(noted, { outcome: 'succeeded', exchange: `x${n}`, details: { n } })
  await append(2)
  await Promise.all([3, 4, 5].map(append))
  await Promise.all([6, 7].map(append))
  await ledger.close()
  return dataFolder.path
}

type Change = (database: DatabaseSync, folder: string) => void

/** Changes a copy of a good ledger as someone with the disk, but without the key, could. */
async function afterwards(good: string, change: Change): Promise<Verdict> {
  const folder = temporaryFolder()
  cpSync(good, folder, { recursive: true })
  const database = new DatabaseSync(join(folder, 'ledger.db'))
  change(database, folder)
  database.close()
  const verdict = await verifyLedger({ folder })
  rmSync(folder, { recursive: true })
  return verdict
}

const bodyOf = (database: DatabaseSync, seq: number) =>
  String(database.prepare('SELECT body FROM entries WHERE seq = ?').get(seq)?.['body'])
const replace = (database: DatabaseSync, seq: number, body: string, leaf: Uint8Array) =>
  database.prepare('UPDATE entries SET body = ?, leaf = ? WHERE seq = ?').run(body, leaf, seq)
const every = Array.from({ length: size }, (_, index) => index + 1)

test('a good ledger holds and its batches are the expected ones', async () => {
  const good = await makeLedger()
  let sizes: unknown[] = []
  const verdict = await afterwards(good, (database) => {
    sizes = database
      .prepare('SELECT size FROM heads')
      .all()
      .map((row) => row['size'])
  })
  expect(sizes).toEqual(batches.map(([, last]) => last))
  expect(verdict).toMatchObject({ holds: true, size, problems: [], root: expect.stringMatching(/^[0-9a-f]{64}$/) })
})

test('every changed byte of every entry is found and the entry is named', async () => {
  const good = await makeLedger()
  const file = join(good, 'ledger.db')
  const bytes = readFileSync(file)
  const source = new DatabaseSync(file)
  const bodies = every.map((seq) => Buffer.from(bodyOf(source, seq)))
  source.close()
  onTestFinished(() => writeFileSync(file, bytes))
  for (const [index, body] of bodies.entries()) {
    const start = bytes.indexOf(body)
    for (let at = start; at < start + body.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      writeFileSync(file, changed)
      const verdict = await verifyLedger({ folder: good })
      expect(verdict.firstProblem?.seq, `entry ${index + 1}, byte ${at - start}`).toBe(index + 1)
    }
  }
}, 120_000)

test('an entry changed in its words, with or without its hash, is found', async () => {
  const good = await makeLedger()
  for (const seq of every) {
    const changed = (database: DatabaseSync) => bodyOf(database, seq).replace('succeeded', 'intended')
    const plain = await afterwards(good, (database) =>
      replace(database, seq, changed(database), hashLeaf(bodyOf(database, seq))),
    )
    expect(plain.problems).toMatchObject([{ kind: 'changed', seq, lastSeq: seq }])
    const rehashed = await afterwards(good, (database) =>
      replace(database, seq, changed(database), hashLeaf(changed(database))),
    )
    const [first, last] = batches.find((batch) => batch[0] <= seq && seq <= batch[1]) ?? [0, 0]
    expect(rehashed.problems).toMatchObject([{ kind: 'changed', seq: first, lastSeq: last }])
    const bare = await afterwards(good, (database) => replace(database, seq, bodyOf(database, seq), hashLeaf('other')))
    expect(bare.problems).toMatchObject([{ kind: 'changed', seq, lastSeq: seq }])
    const behindNul = await afterwards(good, (database) =>
      replace(database, seq, `${bodyOf(database, seq)}\0more`, hashLeaf(bodyOf(database, seq))),
    )
    expect(behindNul.firstProblem).toMatchObject({ kind: 'changed', seq })
  }
})

test('every deleted entry is found; the last one counts as cut off', async () => {
  const good = await makeLedger()
  for (const seq of every) {
    const verdict = await afterwards(good, (database) => database.prepare('DELETE FROM entries WHERE seq = ?').run(seq))
    expect(verdict.problems).toMatchObject([{ kind: seq === size ? 'truncated' : 'missing', seq, lastSeq: seq }])
  }
})

test('every deleted entry is found when the later ones are renumbered to close the gap', async () => {
  const good = await makeLedger()
  for (const seq of every.slice(0, -1)) {
    const verdict = await afterwards(good, (database) => {
      database.prepare('DELETE FROM entries WHERE seq = ?').run(seq)
      for (let later = seq + 1; later <= size; later++)
        database.prepare('UPDATE entries SET seq = seq - 1 WHERE seq = ?').run(later)
    })
    expect(verdict.firstProblem).toMatchObject({ kind: 'reordered', seq })
  }
})

test('any two entries that change places are found and both named', async () => {
  const good = await makeLedger()
  for (const left of every)
    for (const right of every.slice(left)) {
      const verdict = await afterwards(good, (database) => {
        const [one, other] = [bodyOf(database, left), bodyOf(database, right)]
        replace(database, left, other, hashLeaf(other))
        replace(database, right, one, hashLeaf(one))
      })
      expect(verdict.problems).toMatchObject([
        { kind: 'reordered', seq: left },
        { kind: 'reordered', seq: right },
      ])
    }
})

test('a duplicated, an invented and a misnumbered entry are found', async () => {
  const good = await makeLedger()
  const insert = (database: DatabaseSync, seq: number, body: string) =>
    database.prepare('INSERT INTO entries (seq, body, leaf) VALUES (?, ?, ?)').run(seq, body, hashLeaf(body))
  for (const seq of every) {
    const duplicated = await afterwards(good, (database) => insert(database, size + 1, bodyOf(database, seq)))
    expect(duplicated.problems).toMatchObject([{ kind: 'reordered', seq: size + 1 }])
  }
  const invented = await afterwards(good, (database) => insert(database, size + 1, `{"seq":${size + 1}}`))
  expect(invented.problems).toMatchObject([{ kind: 'changed', seq: size + 1 }])
  const before = await afterwards(good, (database) => insert(database, -3, '{"seq":-3}'))
  expect(before.problems).toMatchObject([{ kind: 'changed', seq: 0 }])
})

test('a cut tail is found, with and without its heads, at every length', async () => {
  const good = await makeLedger()
  for (const seq of every) {
    const expected = { kind: 'truncated', seq, lastSeq: size }
    const kept = await afterwards(good, (database) => database.prepare('DELETE FROM entries WHERE seq >= ?').run(seq))
    expect(kept.problems).toMatchObject([expected])
    const cut = await afterwards(good, (database) => {
      database.prepare('DELETE FROM entries WHERE seq >= ?').run(seq)
      database.prepare('DELETE FROM heads WHERE size >= ?').run(seq)
    })
    expect(cut.problems.at(-1)).toMatchObject(expected)
    const bare = await afterwards(good, (database, folder) => {
      database.prepare('DELETE FROM entries WHERE seq >= ?').run(seq)
      rmSync(join(folder, 'ledger.head'))
    })
    expect(bare.holds).toBe(false)
  }
})

test('every head that is changed, deleted or moved is found', async () => {
  const good = await makeLedger()
  for (const [index, [, last]] of batches.entries()) {
    const where = `WHERE number = ${index + 1}`
    for (const change of [
      `UPDATE heads SET note = replace(note, 'head', 'Head') ${where}`,
      `UPDATE heads SET size = size + 1000 ${where}`,
      `UPDATE heads SET edge = zeroblob(length(edge)) ${where}`,
      `UPDATE heads SET edge = x'' ${where}`,
      `UPDATE heads SET number = number + 1000 ${where}`,
      `DELETE FROM heads ${where}`,
    ]) {
      const verdict = await afterwards(good, (database) => database.exec(change))
      expect(verdict.firstProblem?.kind, `${change} (${last})`).toBe('head-forged')
    }
  }
})

test('a ledger rewritten as a whole and signed with another key is found', async () => {
  const good = await makeLedger()
  const forge = (origin: string) => (database: DatabaseSync, folder: string) => {
    const signer = createHeadSigner(makeLedgerKey().toString(), origin)
    const edge = TreeEdge.empty()
    database.exec('DELETE FROM heads')
    for (const seq of every) {
      const body = bodyOf(database, seq).replace('succeeded', 'refused')
      replace(database, seq, body, hashLeaf(body))
      edge.append(hashLeaf(body))
      const note = signer.write({ origin, size: seq, root: edge.root(), number: seq, time: '2026-01-05T09:00:00.000Z' })
      database.prepare('INSERT INTO heads VALUES (?, ?, ?, ?)').run(seq, seq, note, edge.bytes())
      writeFileSync(join(folder, 'ledger.head'), note)
    }
    return signer
  }
  const forged = await afterwards(good, forge('castellan'))
  expect(forged.problems.filter(({ kind }) => kind === 'head-forged')).toHaveLength(1 + size)
  const pinned = readFileSync(join(good, 'ledger-key.pub'), 'utf8')
  const database = new DatabaseSync(join(good, 'ledger.db'))
  writeFileSync(join(good, 'ledger-key.pub'), forge('castellan')(database, good).verifierKey)
  database.close()
  expect(createHeadVerifier(pinned)).toBeDefined()
  expect((await verifyLedger({ folder: good, publicKey: pinned })).firstProblem?.kind).toBe('head-forged')
})

test('a head file from another moment, of another ledger or missing is found', async () => {
  const good = await makeLedger()
  const other = readFileSync(join(await makeLedger(), 'ledger.head'))
  for (const change of [
    (folder: string) => writeFileSync(join(folder, 'ledger.head'), other),
    (folder: string) => writeFileSync(join(folder, 'ledger.head'), ''),
    (folder: string) => rmSync(join(folder, 'ledger.head')),
  ])
    expect((await afterwards(good, (_, folder) => change(folder))).firstProblem?.kind).toBe('head-forged')
})

test('a trigger, a view, a dropped index or a lost table is found', async () => {
  const good = await makeLedger()
  for (const change of [
    'CREATE TRIGGER t AFTER INSERT ON entries BEGIN DELETE FROM entries WHERE seq = new.seq - 1; END',
    'CREATE VIEW v AS SELECT 1',
    'CREATE INDEX i ON entries (leaf)',
    'DROP TABLE postings',
    'PRAGMA user_version = 4',
    'DROP TABLE subtrees',
    'DROP TABLE heads',
    'DROP TABLE entries',
  ])
    expect((await afterwards(good, (database) => database.exec(change))).firstProblem?.kind).toBe('unreadable')
})

test('two faults far apart are both named', async () => {
  const good = await makeLedger()
  const verdict = await afterwards(good, (database) => {
    const changed = bodyOf(database, 4).replace('succeeded', 'refused')
    replace(database, 4, changed, hashLeaf(changed))
    database.exec('DELETE FROM entries WHERE seq = 2')
    replace(database, 7, bodyOf(database, 7).replace('succeeded', 'failed'), hashLeaf(bodyOf(database, 7)))
  })
  expect(verdict.problems).toMatchObject([
    { kind: 'missing', seq: 2 },
    { kind: 'changed', seq: 3, lastSeq: 5 },
    { kind: 'changed', seq: 7 },
  ])
})

test('a file that is no database, and no file at all, are unreadable', async () => {
  const good = await makeLedger()
  const notes = await afterwards(good, (_, folder) => writeFileSync(join(folder, 'ledger.db'), 'x'.repeat(5000)))
  expect(notes).toMatchObject({ holds: false, firstProblem: { kind: 'unreadable' } })
  const folder = temporaryFolder()
  expect(await verifyLedger({ folder })).toMatchObject({ holds: false, firstProblem: { kind: 'unreadable' } })
})
