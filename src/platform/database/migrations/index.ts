import type { Migration } from '../migrate.ts'
import { budgetTables } from './budgets.ts'
import { bundleTables } from './bundles.ts'
import { classificationTables } from './classifications.ts'
import { externalTables } from './external.ts'
import { federationTables } from './federation.ts'
import { firstTables } from './first-tables.ts'
import { flowLabelTables } from './flow-labels.ts'
import { oauthTables, terminalClient } from './oauth.ts'
import { passkeyTables } from './passkeys.ts'
import { pinRecords } from './pin-records.ts'
import { policyChanges } from './policy-changes.ts'
import { remedyTables } from './remedies.ts'
import { scimTables } from './scim.ts'
import { serviceAccountTables } from './service-accounts.ts'
import { stepUpTables } from './step-ups.ts'
import { tokenExchange } from './token-exchange.ts'
import { upstreamEndpoints } from './upstream-endpoints.ts'
import { withdrawnKeys } from './withdrawn-keys.ts'

/** Every migration in order of version. Append only: a published one is never changed. */
export const migrations: readonly Migration[] = [
  firstTables,
  upstreamEndpoints,
  pinRecords,
  bundleTables,
  passkeyTables,
  oauthTables,
  externalTables,
  federationTables,
  scimTables,
  serviceAccountTables,
  stepUpTables,
  terminalClient,
  tokenExchange,
  withdrawnKeys,
  classificationTables,
  policyChanges,
  remedyTables,
  budgetTables,
  flowLabelTables,
]
