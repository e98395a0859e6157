import { randomBytes } from 'node:crypto'
import { createLedger, type Entry, type Ledger } from '#audit'
import { createRemedies } from '#policy'
import { createIdentity, type Identity, type IdentitySettings } from '#identity'
import { isRefusal, type Principal, type Refusal, type Sealer } from '#kernel'
import type { Database } from '#platform/database'
import { createKeyring } from '#secrets'
import { onTestFinished } from 'vitest'
import { createTestClock, type TestClock } from './clock.ts'
import { temporaryDataFolder } from './folder.ts'
import { oneTimeCode } from './one-time-code.ts'

export const identitySettings: IdentitySettings = {
  sessionHours: 8,
  sessionIdleMinutes: 30,
  secondFactor: 'required',
  accessTokenDays: 30,
  serviceAccountDays: 366,
  sessionsPerPerson: 20,
  administratorsNeedPasskey: false,
  issuers: [],
  oauth: {
    accessTokenMinutes: 60,
    grantDays: 30,
    registration: 'open',
    registrationsPerHour: 20,
    metadataDocuments: true,
    assertionIssuers: [],
    metadataNetworks: [],
  },
}

/** A keyring with a key of its own. */
export function createTestSealer(): Sealer {
  return createKeyring({ rootKey: randomBytes(32) })
}

/** Where people reach the listeners of these worlds. */
export const places = { gatewayUrl: 'http://localhost:8090', adminUrl: 'http://localhost:8091' }

/** A person who has enrolled, and what only they know. */
export interface EnrolledPerson {
  readonly name: string
  readonly password: string
  readonly recoveryCodes: readonly string[]
  /** The code of their authenticator at this moment, which may have been used. */
  code(): string
  /** A code that was not used before: moves the clock one step. */
  nextCode(): string
}

export interface IdentityWorld {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: TestClock
  readonly identity: Identity
  /** Everything recorded, oldest first. */
  entries(): Promise<Entry[]>
  /** A second node over the same or another opened database. */
  another(database?: Database): Identity
  /** The first admin, enrolled through the set-up link. */
  admin(): Promise<EnrolledPerson>
  /** Another person, invited by the system and enrolled. */
  person(name: string, roles?: readonly string[]): Promise<EnrolledPerson>
  /** Signs in with a fresh code. */
  signIn(person: EnrolledPerson, address?: string): Promise<{ token: string; principal: Principal }>
}

/** The value, or a thrown error that names the refusal. */
export function given<T>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw new Error(`refused: ${answer.code} ${JSON.stringify(answer.detail)}`)
  return answer
}

/** The code of the refusal, or an error when it was none. */
export function refusalOf(answer: unknown): string {
  if (!isRefusal(answer)) throw new Error('this was not refused')
  return answer.code
}

export const home = '192.0.2.10'

/** Identity over a database of `eachDatabase`, with a ledger and a keyring of its own. */
export async function identityWorld(
  database: Database,
  settings: Partial<IdentitySettings> = {},
): Promise<IdentityWorld> {
  const clock = createTestClock()
  const ledger = await createLedger({ dataFolder: temporaryDataFolder(), origin: 'test', clock })
  onTestFinished(() => ledger.close())
  const sealer = createTestSealer()
  const another = (other: Database = database) => {
    const ground = { database: other, ledger, clock, sealer }
    const policy = { refresh: () => undefined, ruleFingerprint: () => undefined }
    const remedies = createRemedies({ ...ground, policy })
    return createIdentity({ ...ground, places, remedies, settings: { ...identitySettings, ...settings } })
  }
  const identity = another()

  async function enrol(token: string, name: string): Promise<EnrolledPerson> {
    const password = `four walls and a gate for ${name}`
    const { secret } = given(await identity.enrolments.choose({ token, name, password, address: home }))
    const code = () => oneTimeCode(secret, clock.now())
    const nextCode = () => {
      clock.advance(30_000)
      return code()
    }
    const { recoveryCodes } = given(await identity.enrolments.finish({ token, code: code(), address: home }))
    return { name, password, recoveryCodes, code, nextCode }
  }

  return {
    database,
    ledger,
    clock,
    identity,
    another,
    entries: () =>
      ledger.read({ limit: 1000 }).then((entries) => entries.toSorted((one, other) => one.seq - other.seq)),
    async admin() {
      const link = await identity.enrolments.ensureSetupLink()
      if (!link) throw new Error('there is an admin already')
      return enrol(link.token, 'ada')
    },
    async person(name, roles = []) {
      const by = { id: 'castellan', name: 'castellan' }
      return enrol(given(await identity.enrolments.invite({ name, roles, by })).token, name)
    },
    async signIn(person, address = home) {
      const request = { name: person.name, password: person.password, code: person.nextCode(), address }
      return given(await identity.signIn(request))
    },
  }
}
