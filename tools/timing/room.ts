/** Identity by itself, on a clock that moves by hand, with one person of each kind that a name may belong to. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createLedger } from '#audit'
import { createIdentity, type Identity } from '#identity'
import { createRemedies } from '#policy'
import { isRefusal } from '#kernel'
import { loadConfig } from '#platform/config'
import { openDatabase, type Database } from '#platform/database'
import { openDataFolder } from '#platform/files'
import { createKeyring } from '#secrets'
import { createTestClock, type TestClock } from '../../test/world/clock.ts'
import { oneTimeCode } from '../../test/world/one-time-code.ts'

export interface Room {
  readonly identity: Identity
  readonly clock: TestClock
  readonly database: Database
  close(): Promise<void>
}

const address = '192.0.2.1'
const by = { id: 'castellan', name: 'castellan' }

export function given<T extends object>(answer: T): Exclude<T, { kind: 'refusal' }> {
  if (isRefusal(answer)) throw new Error(answer.code)
  return answer as Exclude<T, { kind: 'refusal' }>
}

export async function openRoom(folder: string): Promise<Room> {
  const { config } = loadConfig({ env: { CASTELLAN_DATA_DIR: join(folder, 'data') }, cwd: folder, home: folder })
  const clock = createTestClock()
  const database = await openDatabase({ url: `sqlite:${folder}/castellan.db` })
  const ledger = await createLedger({ dataFolder: openDataFolder(config.dataDir), origin: 'timing', clock })
  const sealer = createKeyring({ rootKey: randomBytes(32) })
  const places = { gatewayUrl: config.gateway.publicUrl, adminUrl: config.admin.publicUrl }
  const settings = { ...config.identity, oauth: config.oauth }
  const policy = { refresh: () => undefined, ruleFingerprint: () => undefined }
  const remedies = createRemedies({ database, ledger, clock, sealer, policy })
  const identity = createIdentity({ database, ledger, clock, sealer, settings, places, remedies })
  return { identity, clock, database, close: async () => void (await Promise.all([ledger.close(), database.close()])) }
}

/** Somebody with a password and an authenticator. */
async function enrol({ identity, clock }: Room, token: string, name: string): Promise<void> {
  const { secret } = given(
    await identity.enrolments.choose({ token, name, password: 'four walls and a gate', address }),
  )
  given(await identity.enrolments.finish({ token, code: oneTimeCode(secret, clock.now()), address }))
}

/** `ada` is enrolled, `ivy` is invited, `sol` is suspended. Nobody is called `bob`. */
export async function fillRoom(room: Room): Promise<void> {
  const { identity } = room
  const link = await identity.enrolments.ensureSetupLink()
  if (link === undefined) throw new Error('there is an administrator already')
  await enrol(room, link.token, 'ada')
  given(await identity.enrolments.invite({ name: 'ivy', roles: [], by }))
  await enrol(room, given(await identity.enrolments.invite({ name: 'sol', roles: [], by })).token, 'sol')
  const sol = await identity.people.find('sol')
  given(await identity.people.suspend(sol?.id ?? '', by))
}
