import { randomBytes } from 'node:crypto'
import { createAdmin } from '#admin'
import { createLedger, type Ledger } from '#audit'
import { createIdentity } from '#identity'
import { createLiveConfig } from '#platform/config'
import { type Database, openDatabase } from '#platform/database'
import { compileAdmission, compileNetworks, createListener } from '#platform/http'
import { createPolicy, createRemedies } from '#policy'
import { createKeyring } from '#secrets'
import { createUpstreams } from '#upstream'
import { onTestFinished } from 'vitest'
import { createTestClock, type TestClock } from './clock.ts'
import { identitySettings } from './identity.ts'
import { load } from './machine/configuration.ts'
import { temporaryDataFolder, temporaryFolder } from './folder.ts'
import { enrol, type Person } from './people.ts'
import { openTelemetry } from './telemetry.ts'

/** The admin listener alone, over real rooms, before anybody was enrolled. */
export interface AdminWorld {
  readonly adminUrl: string
  readonly port: number
  readonly clock: TestClock
  readonly database: Database
  readonly ledger: Ledger
  /** A fresh set-up link's token. */
  setupToken(): Promise<string>
  /** Enrols and signs in the first admin. */
  enrolAdmin(name?: string): Promise<Person>
  /** Invited by the admin, enrolled and signed in. */
  join(admin: Person, name: string, roles: readonly string[]): Promise<Person>
}

export interface AdminWorldOptions {
  /** SQLite in a folder of its own unless told. */
  readonly database?: Database
  readonly secondFactor?: 'required' | 'optional'
  readonly administratorsNeedPasskey?: boolean
}

async function openSqlite(): Promise<Database> {
  const database = await openDatabase({ url: `sqlite:${temporaryFolder()}/castellan.db` })
  onTestFinished(() => database.close())
  return database
}

const gatewayUrl = 'http://localhost:8090'

async function openRooms(options: AdminWorldOptions) {
  const { database, secondFactor = 'required', administratorsNeedPasskey = false } = options
  const opened = database ?? (await openSqlite())
  const clock = createTestClock(Date.now())
  const dataFolder = temporaryDataFolder()
  const ledger = await createLedger({ dataFolder, origin: 'test', clock })
  onTestFinished(() => ledger.close())
  const sealer = createKeyring({ rootKey: randomBytes(32) })
  const settings = { ...identitySettings, secondFactor, administratorsNeedPasskey }
  const places = { gatewayUrl, adminUrl: 'https://castle.test' }
  const ground = { database: opened, ledger, clock, sealer, node: 'test' }
  const policy = await createPolicy(ground)
  const remedies = createRemedies({ ...ground, policy })
  const identity = createIdentity({ ...ground, settings, places, remedies })
  const upstreams = createUpstreams({ ...ground, settings: { workFolder: temporaryFolder() } })
  onTestFinished(() => upstreams.close())
  return { database: opened, clock, ledger, identity, policy, remedies, upstreams }
}

/** Opens the admin listener on a free port; everything is closed after the running test. */
export async function openAdminWorld(options: AdminWorldOptions = {}): Promise<AdminWorld> {
  const rooms = await openRooms(options)
  const config = { admin: { publicUrl: 'https://castle.test' }, gateway: { publicUrl: gatewayUrl }, telemetry: {} }
  const { telemetry } = await openTelemetry()
  const live = createLiveConfig(load())
  const who = { allowedNetworks: ['127.0.0.0/8', '::1/128'], trustedProxies: [], allowedHosts: [], allowedOrigins: [] }
  const admitted = compileAdmission({ publicUrl: config.admin.publicUrl, port: 0, ...who }, 'admin')
  const admission = {
    current: { ...admitted, gatewayProxies: compileNetworks([]), requestsPerMinutePerAddress: 1_000_000 },
  }
  const admin = createAdmin({ ...rooms, telemetry, live, config, admission, version: '0.0.0-test' })
  onTestFinished(() => admin.close())
  const listener = createListener({ name: 'admin', port: 0, handler: admin.handler })
  const { port } = await listener.listen()
  onTestFinished(() => listener.close(0))
  telemetry.health.setStarted()
  const adminUrl = `http://localhost:${port}`
  const places = { adminUrl, gatewayUrl, clock: rooms.clock }
  const setupToken = async () => (await rooms.identity.enrolments.ensureSetupLink())?.token ?? ''
  return {
    adminUrl,
    port,
    clock: rooms.clock,
    database: rooms.database,
    ledger: rooms.ledger,
    setupToken,
    enrolAdmin: async (name = 'ana') => enrol(places, await setupToken(), name),
    async join(inviter, name, roles) {
      const invited = await inviter.api('POST', '/people', { name, roles })
      return enrol(places, String(invited.body['token']), name)
    },
  }
}
