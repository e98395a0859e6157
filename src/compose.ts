import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { extname } from 'node:path'
import { createAdmin, seedDemo } from '#admin'
import { createLedger } from '#audit'
import { readVersion } from '#cli'
import { createGateway } from '#gateway'
import { createIdentity } from '#identity'
import { type Clock, systemClock } from '#kernel'
import type { LoadedConfig } from '#platform/config'
import { type Database, openDatabase } from '#platform/database'
import { type DataFolder, openDataFolder } from '#platform/files'
import { createListener, type Listener } from '#platform/http'
import { createPolicy } from '#policy'
import { createKeyring } from '#secrets'
import { createUpstreams } from '#upstream'

/** A running Castellan: both listeners open, all rooms ready. */
export interface Castellan {
  readonly gatewayUrl: string
  readonly adminUrl: string
  readonly dataDir: string
  /** The one-use set-up link; only while there is no administrator. */
  readonly setupUrl?: string
  readonly startedInMs: number
  /** Accepts nothing more, lets open requests finish, ends every child, closes the ledger last. */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly onReady?: () => void
  readonly clock?: Clock
}

const rootKeyBytes = 32
const maxBodyBytes = 4 * 1024 * 1024
const upstreamDeadlineMs = 300_000
const drainMs = 10_000
const setupLinkFile = 'setup-link'

const notesServer = fileURLToPath(
  new URL(`../examples/notes-server/notes-server${extname(import.meta.url)}`, import.meta.url),
)

function hostsOf(publicUrl: string): { hosts: Set<string>; origins: Set<string> } {
  const { host, port, origin } = new URL(publicUrl)
  const loopback = ['localhost', '127.0.0.1', '[::1]'].map((name) => (port === '' ? name : `${name}:${port}`))
  return { hosts: new Set([host.toLowerCase(), ...loopback]), origins: new Set([origin.toLowerCase()]) }
}

async function openRooms(loaded: LoadedConfig, clock: Clock, dataFolder: DataFolder, database: Database) {
  const { config } = loaded
  const sealer = createKeyring({ rootKey: dataFolder.secretOrCreate('root-key', () => randomBytes(rootKeyBytes)) })
  const ledger = await createLedger({ dataFolder, origin: config.ledger.origin, clock })
  const identity = createIdentity({ database, ledger, clock, sealer, settings: config.identity })
  const policy = await createPolicy({ database, ledger, clock })
  const upstreams = createUpstreams({ database, ledger, clock, settings: { workFolder: dataFolder.file('upstreams') } })
  return { database, sealer, ledger, identity, policy, upstreams, clock }
}

type Rooms = Awaited<ReturnType<typeof openRooms>>

function openListeners(rooms: Rooms, { config }: LoadedConfig) {
  const settings = {
    publicUrl: config.gateway.publicUrl,
    ...hostsOf(config.gateway.publicUrl),
    maxBodyBytes,
    deadlineMs: upstreamDeadlineMs,
  }
  const gateway = createGateway({ ...rooms, node: randomBytes(6).toString('base64url'), settings })
  const admin = createAdmin({ ...rooms, config, version: readVersion() })
  const listeners: Listener[] = [
    createListener({ name: 'gateway', port: config.gateway.port, handler: gateway.handler }),
    createListener({ name: 'admin', port: config.admin.port, handler: admin.handler }),
  ]
  return { gateway, listeners }
}

async function setupLink(rooms: Rooms, dataFolder: DataFolder, adminUrl: string): Promise<string | undefined> {
  const link = await rooms.identity.enrolments.ensureSetupLink()
  if (link === undefined) {
    dataFolder.remove(setupLinkFile)
    return undefined
  }
  const url = `${adminUrl}/setup#${link.token}`
  dataFolder.writeSecret(setupLinkFile, Buffer.from(`${url}\n`))
  return url
}

/**
 * Starts everything that `castellan up` runs.
 * @throws Misuse when the data folder, the database, a port or the configuration cannot be used
 */
export async function startCastellan(loaded: LoadedConfig, options: StartOptions = {}): Promise<Castellan> {
  const startedAt = performance.now()
  const { config } = loaded
  const dataFolder = openDataFolder(config.dataDir)
  const lock = dataFolder.lock('lock')
  const undo: (() => unknown)[] = [() => lock.release()]
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step()
  }
  try {
    const database = await openDatabase({ url: config.database.url.reveal(), dataFolder })
    undo.push(() => database.close())
    const rooms = await openRooms(loaded, options.clock ?? systemClock, dataFolder, database)
    undo.push(() => rooms.ledger.close())
    undo.push(() => rooms.upstreams.close())
    if (config.demo) await seedDemo(rooms, { notesCommand: [process.execPath, notesServer] })
    const { gateway, listeners } = openListeners(rooms, loaded)
    undo.push(() => gateway.close())
    for (const listener of listeners) {
      await listener.listen()
      undo.push(() => listener.close(drainMs))
    }
    const setupUrl = await setupLink(rooms, dataFolder, config.admin.publicUrl)
    options.onReady?.()
    return {
      gatewayUrl: config.gateway.publicUrl,
      adminUrl: config.admin.publicUrl,
      dataDir: dataFolder.path,
      ...(setupUrl === undefined ? {} : { setupUrl }),
      startedInMs: Math.round(performance.now() - startedAt),
      stop,
    }
  } catch (thrown) {
    await stop()
    throw thrown
  }
}
