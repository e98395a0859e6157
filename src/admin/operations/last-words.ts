import type { Ledger } from '#audit'
import { installLastResort, type Telemetry } from '#platform/telemetry'
import { castellanBroken } from '../events.ts'

interface WitnessRooms {
  readonly telemetry: Pick<Telemetry, 'log' | 'flushLog'>
  readonly ledger: Pick<Ledger, 'append'>
}

/**
 * What nothing caught is logged, put on record if the ledger can still be written, and ends the process.
 * @param exit called last, with an exit code; a supervisor starts the process again
 * @returns how to stop watching
 */
export function witnessTheEnd({ telemetry, ledger }: WitnessRooms, exit: (code: number) => void): () => void {
  return installLastResort({
    log: telemetry.log,
    flushLog: telemetry.flushLog,
    record: (id, error) => ledger.append(castellanBroken, { exchange: id, outcome: 'failed', details: { error } }),
    exit,
  })
}
