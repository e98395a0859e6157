import { randomBytes } from 'node:crypto'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { adminAdmission, createAdmin, leaveSetupLink, reloadConfig, seedDemo, witnessTheEnd } from '#admin'
import { createLedger, sanitise, observeLedger } from '#audit'
import { readVersion } from '#cli'
import { createGateway, drainGateway, gatewaySettings } from '#gateway'
import { countSignIns, createIdentity } from '#identity'
import { type Clock, systemClock } from '#kernel'
import { createLiveConfig, type LiveConfig, type LoadedConfig, type ReloadResult } from '#platform/config'
import { type Database, openDatabase } from '#platform/database'
import { type DataFolder, openDataFolder } from '#platform/files'
import { createConfiguredListener } from '#platform/http'
import { createTelemetry, type Telemetry } from '#platform/telemetry'
import { createPolicy, createRemedies, createSurroundings } from '#policy'
import { createKeyring } from '#secrets'
import { balanceSettings, createUpstreams } from '#upstream'

/** A running Castellan: both listeners open, all rooms ready. */
export interface Castellan {
  readonly gatewayUrl: string
  readonly adminUrl: string
  readonly dataDir: string
  /** The one-use set-up link; only while there is no administrator. */
  readonly setupUrl?: string
  readonly startedInMs: number
  /** Calls that are not answered yet, or whose end is not on record. */
  unfinishedCount(): number
  /** Reads the configuration again: checked as a whole, then swapped, or refused and on record. */
  reload(): Promise<ReloadResult>
  /** Unready first; accepts nothing more, lets open calls finish, ends every child, closes the ledger last. */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly onReady?: () => void
  readonly clock?: Clock
  /** Takes the lines of the log; stdout unless told. */
  readonly logTo?: (line: string) => void
  /** Ends the process when something broke that nothing caught. */
  readonly exit?: (code: number) => void
}

const rootKeyBytes = 32
const adminDrainMs = 2_000
const doors = ['gateway', 'admin'] as const

const notesServer = fileURLToPath(
  new URL(`../examples/notes-server/notes-server${extname(import.meta.url)}`, import.meta.url),
)

interface Ground {
  readonly live: LiveConfig
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly dataFolder: DataFolder
  readonly database: Database
}

async function openRooms({ live, clock, telemetry, dataFolder, database }: Ground) {
  const sealer = createKeyring({ rootKey: dataFolder.secretOrCreate('root-key', () => randomBytes(rootKeyBytes)) })
  const ledger = await createLedger({ dataFolder, origin: live.current.ledger.origin, clock, meter: telemetry.meter })
  const settings = { ...live.current.identity, oauth: live.current.oauth }
  live.onChange(({ identity, oauth }) => void Object.assign(settings, identity, { oauth }))
  const places = { gatewayUrl: live.current.gateway.publicUrl, adminUrl: live.current.admin.publicUrl }
  const counted = countSignIns(ledger, telemetry.meter)
  const ground = { database, ledger, clock, sealer, node: randomBytes(6).toString('base64url'), version: readVersion() }
  const policy = await createPolicy({ ...ground, surroundings: live.derive(createSurroundings), ...telemetry })
  const remedies = createRemedies({ ...ground, policy })
  const identity = createIdentity({ ...ground, ledger: counted, settings, places, remedies })
  const ways = { workFolder: dataFolder.file('upstreams'), balance: live.derive(balanceSettings) }
  const upstreams = createUpstreams({ ...ground, meter: telemetry.meter, settings: ways })
  return { ...ground, live, identity, policy, remedies, upstreams, telemetry }
}

type Rooms = Awaited<ReturnType<typeof openRooms>>

function openDoors(rooms: Rooms) {
  const { live, telemetry } = rooms
  const config = live.current
  const gateway = createGateway({ ...rooms, settings: live.derive(gatewaySettings) })
  const admin = createAdmin({ ...rooms, config, admission: live.derive(adminAdmission) })
  const open = (name: (typeof doors)[number], { handler }: Pick<typeof gateway, 'handler'>) =>
    createConfiguredListener({ name, keys: config[name], limits: config.limits, handler, telemetry })
  const listeners = { gateway: open('gateway', gateway), admin: open('admin', admin) }
  live.addCheck((next) =>
    doors.flatMap((name) => (listeners[name].hasNewTls(next[name]) ? `${name}.tlsCertificate` : [])),
  )
  live.onChange((next) => {
    for (const name of doors) listeners[name].configure(next[name], next.limits)
    telemetry.log.setLevel(next.telemetry.logLevel)
  })
  return { gateway, admin, listeners }
}

/**
 * Starts everything that `castellan up` runs.
 * @throws Misuse when the data folder, the database, a port or the configuration cannot be used
 */
export async function startCastellan(loaded: LoadedConfig, options: StartOptions = {}): Promise<Castellan> {
  const startedAt = performance.now()
  const { config } = loaded
  const { clock = systemClock, logTo } = options
  const dataFolder = openDataFolder(config.dataDir)
  const lock = dataFolder.lock('lock')
  const undo: (() => unknown)[] = [() => lock.release()]
  const version = readVersion()
  const telemetry = await createTelemetry({ settings: config.telemetry, version, redact: sanitise, logTo })
  undo.push(() => telemetry.close())
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step()
  }
  try {
    const database = await openDatabase({ url: config.database.url.reveal(), dataFolder })
    undo.push(() => database.close())
    const live = createLiveConfig(loaded)
    const rooms = await openRooms({ live, clock, telemetry, dataFolder, database })
    undo.push(
      () => rooms.ledger.close(),
      observeLedger(rooms.ledger, telemetry),
      () => rooms.upstreams.close(),
    )
    if (options.exit !== undefined) undo.push(witnessTheEnd(rooms, options.exit))
    if (config.demo) await seedDemo(rooms, { notesCommand: [process.execPath, notesServer] })
    const { gateway, admin, listeners } = openDoors(rooms)
    undo.push(gateway.close, admin.close)
    await listeners.admin.listen()
    undo.push(() => listeners.admin.close(adminDrainMs))
    await listeners.gateway.listen()
    gateway.reconcile()
    undo.push(() => drainGateway(gateway, listeners.gateway, live.current.limits.drainSeconds * 1_000))
    telemetry.health.setStarted()
    undo.push(telemetry.health.setDraining)
    const setupUrl = await leaveSetupLink(rooms, dataFolder, config.admin.publicUrl)
    options.onReady?.()
    return {
      gatewayUrl: config.gateway.publicUrl,
      adminUrl: config.admin.publicUrl,
      dataDir: dataFolder.path,
      ...(setupUrl === undefined ? {} : { setupUrl }),
      startedInMs: Math.round(performance.now() - startedAt),
      unfinishedCount: gateway.unfinishedCount,
      reload: () => reloadConfig(rooms),
      stop,
    }
  } catch (thrown) {
    await stop()
    throw thrown
  }
}
