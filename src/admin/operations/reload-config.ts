import type { Ledger } from '#audit'
import type { Principal } from '#kernel'
import type { LiveConfig, ReloadResult } from '#platform/config'
import type { Log } from '#platform/telemetry'
import { configRefused, configReloaded } from '../events.ts'

/** Who asked for it, and in which request; nobody when the machine was told by a signal. */
export interface AskedBy {
  readonly principal: Principal
  readonly requestId: string
  readonly address: string
}

interface ReloadRooms {
  readonly live: Pick<LiveConfig, 'reload'>
  readonly ledger: Pick<Ledger, 'append'>
  readonly telemetry: { readonly log: Pick<Log, 'info' | 'warn'> }
}

/**
 * Reads the configuration again. What is applied is on record before it is in force, by the names of its keys; a
 * reading that is refused changes nothing and is on record with its reason.
 * @throws Fault `audit.ledger-unavailable`, and then nothing changed
 */
export function reloadConfig({ live, ledger, telemetry }: ReloadRooms, by?: AskedBy): Promise<ReloadResult> {
  const who =
    by === undefined
      ? { details: { by: 'signal' } }
      : { principal: by.principal, exchange: by.requestId, address: by.address }
  return live.reload(async ({ outcome, changed, needRestart, problem }) => {
    if (outcome === 'refused') {
      telemetry.log.warn('config.refused', 'the configuration was refused; the one before stays in force', { problem })
      await ledger.append(configRefused, { ...who, outcome: 'refused', details: { ...who.details, problem } })
      return
    }
    const details = { ...who.details, changed, needRestart }
    telemetry.log.info('config.reloaded', 'the configuration was read again', { changed, needRestart })
    await ledger.append(configReloaded, { ...who, outcome: 'succeeded', details })
  })
}
