import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { noted, openTestLedger } from '../../../test/world/ledger.ts'
import { segmentEntries } from './postings.ts'
import { verifyLedger } from '../verify/verify.ts'
import { verifyProof } from '../verify/verify-proof.ts'

/** Grows a ledger to a size: in batches, with a kept checkpoint after each. */
async function grow(...sizes: readonly number[]) {
  const { ledger, dataFolder } = await openTestLedger()
  const kept: string[] = []
  for (const size of sizes) {
    const more = Array.from({ length: size - ledger.state().size }, (_, at) => at)
    await Promise.all(more.map((n) => ledger.append(noted, { outcome: 'succeeded', details: { n, name: 'Zoë' } })))
    kept.push((await ledger.checkpoint()) ?? '')
  }
  const prove = async (asked: { seq: number } | { from: number }) => (await ledger.prove(asked)) ?? ''
  const judge = (proof: string, older?: string) => verifyProof({ proof, publicKey: ledger.publicKey, older })
  return { ledger, dataFolder, kept, prove, judge }
}

test('the newest checkpoint is the head of what is there, and the public key the one in the folder', async () => {
  const { ledger, dataFolder, kept } = await grow(1, 3)
  expect(kept.map((note) => note.split('\n').slice(0, 2))).toEqual([
    ['castellan', '1'],
    ['castellan', '3'],
  ])
  expect(ledger.publicKey).toBe(readFileSync(join(dataFolder.path, 'ledger-key.pub'), 'utf8'))
})

test('entries on both sides of a tile are proved under the newest head, with what they say', async () => {
  const size = 2 * 256 + 3
  const { prove, judge } = await grow(1, size)
  for (const seq of [1, 2, 128, 255, 256, 257, 511, 512, 513, size]) {
    const verdict = judge(await prove({ seq }))
    expect(verdict, String(seq)).toMatchObject({ holds: true, size, entry: { seq } })
  }
})

test('beyond the newest head nothing is proved, and a senseless place is told as one', async () => {
  const { ledger } = await grow(1, 2)
  expect(await ledger.prove({ seq: 3 })).toBeUndefined()
  expect(await ledger.prove({ from: 3 })).toBeUndefined()
  expect(await ledger.prove({ from: 2 })).toBeDefined()
  for (const asked of [{ seq: 0 }, { seq: -1 }, { seq: 1.5 }, { from: -1 }, { from: Number.NaN }])
    await expect(ledger.prove(asked)).rejects.toMatchObject({ code: 'audit.query' })
  await ledger.close()
  await expect(ledger.prove({ seq: 1 })).rejects.toMatchObject({ code: 'audit.ledger-unreadable' })
  await expect(ledger.checkpoint()).rejects.toMatchObject({ code: 'audit.ledger-unreadable' })
})

test('each ledger that was seen before is the beginning of the present one', async () => {
  const { prove, judge, kept } = await grow(1, 255, 256, 257, 300, 513)
  for (const [at, from] of [1, 255, 256, 257, 300, 513].entries()) {
    const proof = await prove({ from })
    expect(judge(proof, kept[at]), String(from)).toMatchObject({ holds: true, from, size: 513 })
  }
  const proof = await prove({ from: 256 })
  expect(judge(proof)).toMatchObject({ says: expect.stringContaining('needs the checkpoint') as unknown })
  expect(judge(proof, kept[1])).toMatchObject({ says: 'it begins with 256 entries, and 255 were seen before' })
  expect(judge(proof, 'castellan\n256\n')).toMatchObject({
    says: 'the checkpoint that was seen before is not signed by the ledger key',
  })
})

test('a proof of another entry, another ledger or another key, or no proof at all, says why it does not hold', async () => {
  const { prove, judge, ledger } = await grow(1, 4)
  const other = await grow(1, 4)
  const proof = await prove({ seq: 2 })
  const says = (text: string, publicKey = ledger.publicKey) => {
    const verdict = verifyProof({ proof: text, publicKey })
    return verdict.holds ? 'it holds' : verdict.says
  }
  const [before, after = ''] = proof.split('\n\n', 2)
  const changed = Buffer.from('{"seq":2}').toString('base64')
  expect(says(proof)).toBe('it holds')
  expect(says(proof.replace(/^extra .*$/m, `extra ${changed}`))).toBe(
    'its entry is not entry 2 of the ledger that was signed',
  )
  expect(says(proof.replace('index 1', 'index 2'))).toContain('is not entry 3')
  expect(says(proof.replace('index 1', 'index 9'))).toContain('is not entry 10')
  expect(says(`${before}\n\n${after.replace('\n4\n', '\n5\n')}`)).toContain('not signed')
  expect(says(proof, other.ledger.publicKey)).toBe('its checkpoint is not signed by the ledger key')
  expect(says(proof, 'castellan+00000000+x')).toBe('the public key is none of a ledger')
  expect(says('')).toBe('it is no proof of a ledger')
  expect(judge(proof).holds).toBe(true)
})

test('hashes that proofs are made from and that were changed are found, where the entries are good', async () => {
  const size = segmentEntries + 10
  const { ledger, dataFolder } = await grow(1, size - 1)
  await ledger.close()
  const change = async (statement: string) => {
    const database = new DatabaseSync(join(dataFolder.path, 'ledger.db'))
    database.exec(`SAVEPOINT s; ${statement}`)
    database.exec('RELEASE s')
    database.close()
    const { problems } = await verifyLedger({ folder: dataFolder.path })
    return problems.map(({ kind, seq, lastSeq }) => [kind, seq, lastSeq])
  }
  expect(await change('SELECT 1')).toEqual([])
  expect(await change(`INSERT INTO subtrees VALUES (8, 9, x'00')`)).toEqual([['proof-forged', size, size]])
  expect(await change(`DELETE FROM subtrees WHERE place = 9`)).toEqual([])
  expect(await change(`UPDATE subtrees SET root = zeroblob(32) WHERE place = 1`)).toEqual([['proof-forged', 257, 512]])
  expect(await change(`DELETE FROM subtrees`)).toEqual([['proof-forged', 1, 256]])
})
