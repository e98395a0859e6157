/** Signing in with a wrong password: does the time tell whether there is a person of that name? */
import { randomBytes, randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createLedger } from '#audit'
import { createIdentity } from '#identity'
import { isRefusal } from '#kernel'
import { loadConfig } from '#platform/config'
import { openDatabase } from '#platform/database'
import { openDataFolder } from '#platform/files'
import { createKeyring } from '#secrets'
import { createTestClock, type TestClock } from '../../test/world/clock.ts'
import { oneTimeCode } from '../../test/world/one-time-code.ts'
import { compare } from '../timing/compare.ts'
import type { Proof, ProofOutcome } from './contract.ts'

const fewestSamples = 10_000
/** Of each kind that are thrown away: the program warms up. */
const warmUp = 50
const roundMs = 20 * 60_000
/** How far from even odds, and of medians from each other. */
const most = { advantage: 0.02, medianShare: 0.02 }
const codes = ['123456', 'aaaa-bbbb-cccc-dddd']

async function openRoom(folder: string) {
  const { config } = loadConfig({ env: { CASTELLAN_DATA_DIR: join(folder, 'data') }, cwd: folder, home: folder })
  const clock = createTestClock()
  const database = await openDatabase({ url: `sqlite:${folder}/castellan.db` })
  const ledger = await createLedger({ dataFolder: openDataFolder(config.dataDir), origin: 'timing', clock })
  const sealer = createKeyring({ rootKey: randomBytes(32) })
  const places = { gatewayUrl: config.gateway.publicUrl, adminUrl: config.admin.publicUrl }
  const settings = { ...config.identity, oauth: config.oauth }
  const identity = createIdentity({ database, ledger, clock, sealer, settings, places })
  return { identity, clock, close: async () => void (await Promise.all([ledger.close(), database.close()])) }
}

type Room = Awaited<ReturnType<typeof openRoom>>

function given<T extends object>(answer: T): Exclude<T, { kind: 'refusal' }> {
  if (isRefusal(answer)) throw new Error(answer.code)
  return answer as Exclude<T, { kind: 'refusal' }>
}

/** One person with a password and a second factor. */
async function enrol({ identity, clock }: Room, name: string): Promise<void> {
  const link = await identity.enrolments.ensureSetupLink()
  if (link === undefined) throw new Error('there is an administrator already')
  const address = '192.0.2.1'
  const chosen = { token: link.token, name, password: 'four walls and one gate', address }
  const { secret } = given(await identity.enrolments.choose(chosen))
  given(await identity.enrolments.finish({ token: link.token, code: oneTimeCode(secret, clock.now()), address }))
}

async function timeOne({ identity }: Room, name: string, code: string): Promise<{ ms: number; said: string }> {
  const started = performance.now()
  const answer = await identity.signIn({ name, password: 'not the password', code, address: '203.0.113.5' })
  const ms = performance.now() - started
  if (!isRefusal(answer)) throw new Error('a wrong password was accepted')
  return { ms, said: `${answer.code} ${answer.says} ${answer.hint} ${answer.retryAfterSeconds}` }
}

async function takeSamples(room: Room & { clock: TestClock }, samples: number) {
  const times = { known: [] as number[], unknown: [] as number[] }
  const said = new Set<string>()
  const startedAt = performance.now()
  for (let round = 0; round < samples + warmUp; round += 1) {
    // WHY: as if every attempt were the first of its hour; the throttle is proved elsewhere.
    room.clock.advance(roundMs)
    const code = codes[round % codes.length] ?? ''
    const order = randomInt(2) === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)
    for (const kind of order) {
      const one = await timeOne(room, kind === 'known' ? 'ada' : 'bob', code)
      said.add(one.said)
      if (round >= warmUp) times[kind].push(one.ms)
    }
    if (round % 1_000 !== 999) continue
    const leftSeconds = Math.round(((performance.now() - startedAt) / 1_000 / (round + 1)) * (samples + warmUp - round))
    console.log(`${round + 1} rounds, ${leftSeconds} s left`, JSON.stringify(compare(times.known, times.unknown)))
  }
  return { times, said: said.size }
}

async function run(flags: readonly string[]): Promise<ProofOutcome> {
  const options = { samples: { type: 'string', default: String(fewestSamples) } } as const
  const samples = Number(parseArgs({ args: [...flags], options }).values.samples)
  const folder = mkdtempSync(join(tmpdir(), 'castellan-timing-'))
  const room = await openRoom(folder)
  try {
    await enrol(room, 'ada')
    const { times, said } = await takeSamples(room, samples)
    const found = compare(times.known, times.unknown)
    const [known, unknown] = found.p50Ms
    const advantage = Number(Math.abs(found.likelihood - 0.5).toFixed(4))
    const medianShare = Number((Math.abs(known - unknown) / Math.min(known, unknown)).toFixed(4))
    const isEven = advantage <= most.advantage && medianShare <= most.medianShare
    return { holds: isEven && said === 1 && samples >= fewestSamples, answers: said, advantage, medianShare, ...found }
  } finally {
    await room.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

export const proof: Proof = {
  shows: `of ${fewestSamples.toLocaleString('en')} sign-ins each with known and unknown names, neither answer nor time tells which was which`,
  run,
}
