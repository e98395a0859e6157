import type { Migration } from '../migrate.ts'
import { firstTables } from './first-tables.ts'

/** Every migration in order of version. Append only: a published one is never changed. */
export const migrations: readonly Migration[] = [firstTables]
