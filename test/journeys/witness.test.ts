import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createLedger } from '#audit'
import { runCli } from '#cli'
import { createTestClock } from '../world/clock.ts'
import { runCastellan } from '../world/running-castellan.ts'
import { temporaryDataFolder, temporaryFolder } from '../world/folder.ts'
import { noted } from '../world/ledger.ts'
import { startProgram } from '../world/program.ts'
import { createTestTerminal } from '../world/terminal.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))

/** A ledger that somebody wrote with the key that lies in this folder. */
async function forge(keyFolder: string, origin: string, count: number) {
  const dataFolder = temporaryDataFolder()
  const path = join(keyFolder, 'ledger-key')
  if (existsSync(path)) dataFolder.secretOrCreate('ledger-key', () => readFileSync(path))
  const ledger = await createLedger({ dataFolder, origin, clock: createTestClock() })
  onTestFinished(() => ledger.close())
  await Promise.all(Array.from({ length: count }, () => ledger.append(noted, { outcome: 'succeeded' })))
  return { ledger, proof: async (from: number) => (await ledger.prove({ from })) ?? '' }
}

async function startWitness(folder: string, log: string) {
  const flags = ['--name', 'witness.example', '--log', log, '--listen', '0', '--data-dir', folder, '--json']
  const program = startProgram(process.execPath, [launcher, 'witness', ...flags], {
    env: { PATH: process.env.PATH, HOME: folder },
  })
  onTestFinished(async () => void (await program.stop()))
  const [line] = await program.waitFor(/^\{"event":"ready".*\}$/m)
  return { program, ...(JSON.parse(line) as { url: string; verifierKey: string }) }
}

test('a witness of its own cosigns a ledger that grows, survives a kill, and tells when it has seen another past', async () => {
  const castellan = await runCastellan()
  onTestFinished(castellan.end)
  const folder = temporaryFolder()
  const at = (name: string) => join(folder, name)
  writeFileSync(at('log.pub'), readFileSync(join(castellan.dataDir, 'ledger-key.pub')))
  const state = temporaryFolder()
  const witness = await startWitness(state, at('log.pub'))
  writeFileSync(at('witness.pub'), witness.verifierKey)

  const run = async (argv: string[], stdin = '') => {
    const environment = { CASTELLAN_DATA_DIR: castellan.dataDir, CASTELLAN_ADMIN__PUBLIC_URL: castellan.adminUrl }
    const terminal = createTestTerminal({ home: folder, nowMs: Date.now(), stdin, environment })
    const code = await runCli(argv, { up: () => Promise.reject(new Error('it is up')), terminal })
    return { code, out: terminal.out(), err: terminal.err() }
  }
  const login = ['login', '--name', 'ana', '--password-stdin', '--code', castellan.ana.nextCode()]
  expect((await run(login, castellan.ana.password)).code).toBe(0)
  const ask = (url: string, key: string, ...more: string[]) =>
    run(['audit', 'witness', url, '--witness-key', at(key), ...more])

  const first = await ask(witness.url, 'witness.pub', '--out', at('1.checkpoint'))
  expect([first.code, first.err]).toEqual([0, ''])
  expect(readFileSync(at('1.checkpoint'), 'utf8')).toMatch(/\n\n\u2014 castellan \S+\n\u2014 witness\.example \S+\n$/)
  expect((await ask(witness.url, 'log.pub')).err).toContain('is not signed by the key of this witness')
  expect((await ask(witness.url, 'none.pub')).err).toContain('cannot be read')
  await run(['role', 'put', 'quiet', '--grant', 'servers:use on notes'])
  expect((await ask(witness.url, 'witness.pub')).code).toBe(0)

  process.kill(-witness.program.pid, 'SIGKILL')
  await witness.program.ended
  expect((await ask(witness.url, 'witness.pub')).err).toContain('cannot be reached')
  const again = await startWitness(state, at('log.pub'))
  expect(again.verifierKey).toBe(witness.verifierKey)
  expect((await ask(again.url, 'witness.pub')).code).toBe(0)

  // Mallory has the key of the ledger, and shows the witness a longer past of her own.
  const hers = await forge(castellan.dataDir, 'castellan', 200)
  const { state: seen } = hers.ledger
  const told = await fetch(`${again.url}/add-checkpoint`, { method: 'POST', body: await hers.proof(0) })
  expect(told.status).toBe(409)
  const other = await startWitness(temporaryFolder(), at('log.pub'))
  writeFileSync(at('other.pub'), other.verifierKey)
  const believed = await fetch(`${other.url}/add-checkpoint`, { method: 'POST', body: await hers.proof(0) })
  expect([believed.status, seen().size]).toEqual([200, 201])
  const shorter = await ask(other.url, 'other.pub')
  expect([shorter.code, shorter.err]).toEqual([
    8,
    expect.stringContaining('a ledger of 201 entries, and this one has fewer'),
  ])

  const stranger = await forge(temporaryFolder(), 'another', 1)
  writeFileSync(at('another.pub'), stranger.ledger.publicKey)
  const strange = await startWitness(temporaryFolder(), at('another.pub'))
  writeFileSync(at('strange.pub'), strange.verifierKey)
  expect((await ask(strange.url, 'strange.pub')).err).toContain('answered 404')
}, 120_000)
