import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { verifyProof } from '#audit'
import { temporaryFolder } from '../test/world/folder.ts'
import { noted, openTestLedger } from '../test/world/ledger.ts'
import { runPython, withPython } from '../test/world/machine/python.ts'

const verifier = fileURLToPath(new URL('verify-ledger.py', import.meta.url))
const notSigned = '\u2014 castellan AAAAAAAA\n'

beforeAll(withPython)

async function stage() {
  const { ledger } = await openTestLedger()
  const append = (n: number) => ledger.append(noted, { outcome: 'succeeded', details: { n, name: 'Zoë' } })
  await append(2)
  const older = (await ledger.checkpoint()) ?? ''
  await Promise.all(Array.from({ length: 300 }, (_, at) => append(at)))
  const folder = temporaryFolder()
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const key = write('ledger-key.pub', ledger.publicKey)
  /** What both verifiers say: the product's own, and the one in Python. */
  const judge = async (what: 'proof' | 'growth', proof: string, olderNote = older) => {
    const isGrowth = what === 'growth'
    const own = verifyProof({ proof, publicKey: ledger.publicKey, older: isGrowth ? olderNote : undefined })
    const more = isGrowth ? ['--older', write('older', olderNote)] : []
    const { code, out } = await runPython([verifier, what, write('proof', proof), '--key', key, ...more])
    const told = JSON.parse(out) as { readonly holds: boolean; readonly says?: string; readonly entry?: object }
    expect(code).toBe(told.holds ? 0 : 8)
    return { own, told }
  }
  const prove = async (asked: { seq: number } | { from: number }) => (await ledger.prove(asked)) ?? ''
  return { ledger, older, judge, prove }
}

test('two verifiers that share nothing find the same entry in the same ledger', async () => {
  const { judge, prove } = await stage()
  for (const seq of [1, 2, 256, 257, 302]) {
    const { own, told } = await judge('proof', await prove({ seq }))
    expect(own).toMatchObject({ holds: true, size: 302, entry: { seq } })
    expect(told).toEqual({ holds: true, size: 302, entry: own.holds ? own.entry : undefined })
  }
  expect((await judge('growth', await prove({ from: 2 }))).told).toEqual({ holds: true, size: 302, from: 2 })
})

test('both refuse whatever was changed in a proof, in its checkpoint, or in what was seen before', async () => {
  const { judge, prove, older, ledger } = await stage()
  const proof = await prove({ seq: 2 })
  const growth = await prove({ from: 2 })
  const [hash = ''] = proof.split('\n').slice(3)
  const zeroes = Buffer.alloc(32).toString('base64')
  const forged = Buffer.from('{"seq":2}').toString('base64')
  const broken = [
    proof.replace(/^extra .*$/m, `extra ${forged}`),
    proof.replace('index 1\n', 'index 2\n'),
    proof.replace('index 1\n', 'index 302\n'),
    proof.replace('index 1\n', 'index 01\n'),
    proof.replace(hash, zeroes),
    proof.replace(`${hash}\n`, ''),
    proof.replace(`${hash}\n`, `${hash}\n${hash}\n`),
    proof.replace('\n302\n', '\n303\n'),
    proof.replace('castellan\n302', 'castellen\n302'),
    proof.replace('head ', 'head 1'),
    proof.replace(/(\u2014 castellan .{20})./, '$1A').replace(/\u2014.*\n$/, notSigned),
    proof.slice(0, -1),
    'no proof',
  ]
  for (const text of broken) {
    const { own, told } = await judge('proof', text)
    expect([own.holds, told.holds], text).toEqual([false, false])
  }
  const other = await stage()
  const changes: (readonly [proof: string, older: string])[] = [
    [growth, other.older],
    [growth, ''],
    [growth, older.replace('\n2\n', '\n3\n')],
    [growth.replace('old 2', 'old 1'), older],
    [growth.replace(/^[^o].*\n/m, ''), older],
    [growth.replace(/^[^o].{43}\n/m, `${zeroes}\n`), older],
    [await other.prove({ from: 2 }), older],
  ]
  for (const [text, seen] of changes) {
    const { own, told } = await judge('growth', text, seen)
    expect([own.holds, told.holds], text).toEqual([false, false])
  }
  expect(ledger.state().size).toBe(302)
}, 60_000)
