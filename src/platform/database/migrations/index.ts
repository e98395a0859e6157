import type { Migration } from '../migrate.ts'
import { bundleTables } from './bundles.ts'
import { firstTables } from './first-tables.ts'
import { pinRecords } from './pin-records.ts'
import { upstreamEndpoints } from './upstream-endpoints.ts'

/** Every migration in order of version. Append only: a published one is never changed. */
export const migrations: readonly Migration[] = [firstTables, upstreamEndpoints, pinRecords, bundleTables]
