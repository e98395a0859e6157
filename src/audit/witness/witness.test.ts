import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createTestClock } from '../../../test/world/clock.ts'
import { temporaryDataFolder } from '../../../test/world/folder.ts'
import { noted, openTestLedger } from '../../../test/world/ledger.ts'
import { openWitnessStore } from '../storage/witness-store.ts'
import { makeLedgerKey } from '../heads.ts'
import { createLedger } from '../ledger.ts'
import { readNoteKey } from '../notes/signed-note.ts'
import { cosigned } from './cosigned.ts'
import { createCosigner } from './cosign.ts'
import { startWitness, type WitnessOptions } from './start-witness.ts'
import { createWitness, type WitnessAnswer } from './witness.ts'

const clock = createTestClock()

async function stage() {
  const { ledger, dataFolder } = await openTestLedger()
  const log = readNoteKey(ledger.publicKey)
  if (log === undefined) throw new Error('no key')
  const path = join(temporaryDataFolder().path, 'witness.db')
  const cosigner = createCosigner(makeLedgerKey().toString(), 'witness.example')
  const open = () => {
    const store = openWitnessStore(path)
    onTestFinished(() => store.close())
    return { store, ask: createWitness({ logs: new Map([['castellan', log]]), store, cosigner, clock }) }
  }
  const grow = async (count: number) => {
    for (let more = 0; more < count; more += 1) await ledger.append(noted, { outcome: 'succeeded' })
  }
  const proof = async (from: number) => (await ledger.prove({ from })) ?? ''
  const isSigned = (request: string, { body }: WitnessAnswer) =>
    cosigned(request.slice(request.indexOf('\n\n') + 2), body, cosigner.verifierKey) !== undefined
  return { ledger, dataFolder, open, grow, proof, isSigned, cosigner }
}

/** Another past, signed with the same key. */
async function forge(folder: string, count: number) {
  const privateKey = readFileSync(join(folder, 'ledger-key'))
  const dataFolder = temporaryDataFolder()
  dataFolder.secretOrCreate('ledger-key', () => privateKey)
  const ledger = await createLedger({ dataFolder, origin: 'castellan', clock })
  onTestFinished(() => ledger.close())
  for (let more = 0; more < count; more += 1) await ledger.append(noted, { outcome: 'refused' })
  return ledger
}

test('a log that only grows is cosigned each time, from what was cosigned last', async () => {
  const { open, grow, proof, isSigned } = await stage()
  const { ask } = open()
  const first = await proof(0)
  const begun = ask(first)
  expect([begun.status, isSigned(first, begun)]).toEqual([200, true])
  const again = await proof(1)
  expect(ask(again).status).toBe(200)
  await grow(9)
  const more = await proof(1)
  const grown = ask(more)
  expect([grown.status, isSigned(more, grown)]).toEqual([200, true])
  expect(ask(await proof(10)).status).toBe(200)
})

test('another old size is a conflict that tells what was seen, after a restart too', async () => {
  const { open, grow, proof } = await stage()
  await grow(4)
  expect(open().ask(await proof(0)).status).toBe(200)
  const { ask } = open()
  for (const from of [0, 3, 4]) {
    expect(ask(await proof(from))).toMatchObject({ status: 409, body: '5\n', finding: 'conflict' })
  }
  expect(ask(await proof(5)).status).toBe(200)
})

test('of two requests at once from one size, one is a conflict', async () => {
  const { open, grow, proof } = await stage()
  const [one, other] = [open(), open()]
  const early = await proof(0)
  await grow(3)
  const late = await proof(0)
  expect([one.ask(late).status, other.ask(early).status]).toEqual([200, 409])
})

test('a past that was written anew is never cosigned, and what the log signed is kept', async () => {
  const { dataFolder, open, grow, proof } = await stage()
  const { ask, store } = open()
  await grow(4)
  expect(ask(await proof(0)).status).toBe(200)
  const forged = await forge(dataFolder.path, 4)
  const same = (await forged.prove({ from: 5 })) ?? ''
  expect(ask(same)).toMatchObject({ status: 409, finding: 'fork' })
  await forged.append(noted, { outcome: 'refused' })
  const longer = (await forged.prove({ from: 5 })) ?? ''
  expect(ask(longer)).toMatchObject({ status: 422, finding: 'fork' })
  expect(store.evidence('castellan')).toEqual([same, longer])
  const shorter = await forge(dataFolder.path, 1)
  expect(ask(((await shorter.prove({ from: 2 })) ?? '').replace('old 2', 'old 5')).status).toBe(400)
  await grow(1)
  expect(ask(await proof(5)).status).toBe(200)
})

test('of what does not fit the newest hundred are kept', () => {
  const store = openWitnessStore(':memory:')
  for (let at = 0; at < 101; at += 1) store.keepEvidence('a', `request ${at}`, at)
  store.keepEvidence('b', 'of another', 1)
  expect([store.evidence('a').length, store.evidence('a')[0], store.evidence('b')]).toEqual([
    100,
    'request 1',
    ['of another'],
  ])
  store.close()
})

test('a log that is not known, a key that is not its own, and what is no request get no signature', async () => {
  const { open, proof } = await stage()
  const { ask } = open()
  const text = await proof(0)
  const other = await openTestLedger()
  expect(ask((await other.ledger.prove({ from: 0 })) ?? '').status).toBe(403)
  expect(ask(text.replace('\n\ncastellan\n', '\n\ncastellen\n')).status).toBe(404)
  expect(ask(text.replace('old 0', 'old 00')).status).toBe(400)
  expect(ask(text.slice(0, -1)).status).toBe(400)
  expect(ask('').status).toBe(400)
  expect(ask(text.replace('old 0\n', `old 0\n${'A'.repeat(43)}=\n`)).status).toBe(422)
  expect(ask(text.replace(/^(castellan\n)\d+/m, '$17')).status).toBe(403)
  expect(ask(text).status).toBe(200)
})

async function run(more: Partial<WitnessOptions> = {}) {
  const { ledger } = await openTestLedger()
  const answers: WitnessAnswer[] = []
  const witness = await startWitness({
    dataFolder: temporaryDataFolder(),
    name: 'witness.example',
    logs: [ledger.publicKey],
    clock,
    port: 0,
    dangerouslyAllowPlainHttp: false,
    onAnswer: (answer) => answers.push(answer),
    onFault: () => undefined,
    ...more,
  })
  onTestFinished(() => witness.close())
  const url = `http://127.0.0.1:${witness.port}`
  const post = (body: string, path = '/add-checkpoint') => fetch(url + path, { method: 'POST', body })
  return { ledger, witness, post, url, answers }
}

test('over HTTP it answers as witnesses do', async () => {
  const { ledger, witness, post, url, answers } = await run()
  const proof = (await ledger.prove({ from: 0 })) ?? ''
  const good = await post(proof)
  const lines = await good.text()
  expect(good.status).toBe(200)
  expect(cosigned((await ledger.checkpoint()) ?? '', lines, witness.verifierKey)).toContain('witness.example')
  expect(cosigned((await ledger.checkpoint()) ?? '', lines, ledger.publicKey)).toBeUndefined()
  const conflict = await post(proof)
  expect([conflict.status, conflict.headers.get('content-type'), await conflict.text()]).toEqual([
    409,
    'text/x.tlog.size',
    '1\n',
  ])
  expect((await post('x')).status).toBe(400)
  expect((await post('x'.repeat(65_536))).status).toBe(400)
  expect((await post('x'.repeat(65_537))).status).toBe(413)
  expect((await post(proof, '/elsewhere')).status).toBe(404)
  expect((await fetch(`${url}/add-checkpoint`)).status).toBe(405)
  expect(answers.map(({ status }) => status)).toEqual([200, 409, 400, 400])
})

test('it does not start beside the key of a ledger, without a log, or under a name that is none', async () => {
  const { dataFolder } = await openTestLedger()
  await expect(run({ dataFolder })).rejects.toMatchObject({ code: 'witness.beside-ledger' })
  await expect(run({ logs: [] })).rejects.toMatchObject({ code: 'witness.logs' })
  await expect(run({ logs: ['x'] })).rejects.toMatchObject({ code: 'witness.log-key' })
  await expect(run({ name: 'a b' })).rejects.toMatchObject({ code: 'witness.name' })
  await expect(run({ addresses: ['0.0.0.0'] })).rejects.toMatchObject({ code: 'http.plain-beyond-loopback' })
})
