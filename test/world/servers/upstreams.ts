import { randomBytes } from 'node:crypto'
import { onTestFinished } from 'vitest'
import type { Ledger } from '#audit'
import { type Clock, isRefusal, type Refusal, type Sealer, systemClock } from '#kernel'
import type { Database } from '#platform/database'
import type { Meter } from '#platform/telemetry'
import { createKeyring } from '#secrets'
import { createUpstreams, type UpstreamRecord, type Upstreams, type UpstreamSettings } from '#upstream'
import { temporaryFolder } from '../folder.ts'
import { openLedger } from '../policy.ts'

export interface UpstreamsWorld {
  readonly database: Database
  readonly ledger: Ledger
  readonly upstreams: Upstreams
}

/** The upstream room over a database; its children end with the running test. */
export async function openUpstreams(
  database: Database,
  options: {
    clock?: Clock
    ledger?: Ledger
    settings?: Partial<UpstreamSettings>
    sealer?: Sealer
    node?: string
    meter?: Meter
  } = {},
): Promise<UpstreamsWorld> {
  const { clock = systemClock, settings = {} } = options
  const ledger = options.ledger ?? (await openLedger(clock))
  const upstreams = createUpstreams({
    database,
    ledger,
    clock,
    sealer: options.sealer ?? createKeyring({ rootKey: randomBytes(32) }),
    node: options.node ?? 'test',
    settings: { workFolder: temporaryFolder(), ...settings },
    ...(options.meter === undefined ? {} : { meter: options.meter }),
  })
  onTestFinished(() => upstreams.close())
  await upstreams.catalog.refresh()
  return { database, ledger, upstreams }
}

/** The value, when it is no refusal. */
export function granted<T>(value: T | Refusal): T {
  if (isRefusal(value)) throw new Error(`${value.code}: ${value.says} ${JSON.stringify(value.detail)}`)
  return value
}

/** Adds an upstream by its command or URL, as Castellan itself. */
export async function addUpstream(
  { upstreams }: UpstreamsWorld,
  name: string,
  address: { command: readonly string[] } | { url: string },
): Promise<UpstreamRecord> {
  return granted(await upstreams.catalog.add({ name, ...address }))
}
