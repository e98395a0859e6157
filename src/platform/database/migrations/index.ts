import type { Migration } from './migration.ts'
import { budgetTables } from './policy/budgets.ts'
import { bundleTables } from './upstream/bundles.ts'
import { classificationTables } from './policy/classifications.ts'
import { distrustedPolicies } from './policy/distrusted-policies.ts'
import { externalTables } from './identity/external.ts'
import { federationTables } from './identity/federation.ts'
import { firstTables } from './first-tables.ts'
import { flowLabelTables } from './policy/flow-labels.ts'
import { oauthTables, terminalClient } from './identity/oauth.ts'
import { passkeyTables } from './identity/passkeys.ts'
import { pinRecords } from './upstream/pin-records.ts'
import { policyChanges } from './policy/policy-changes.ts'
import { proofTimes } from './identity/proof-times.ts'
import { remedyTables } from './policy/remedies.ts'
import { reviewTables } from './policy/reviews.ts'
import { scimTables } from './identity/scim.ts'
import { serviceAccountTables } from './identity/service-accounts.ts'
import { stepUpTables } from './identity/step-ups.ts'
import { tokenExchange } from './identity/token-exchange.ts'
import { upstreamEndpoints } from './upstream/upstream-endpoints.ts'
import { withdrawnKeys } from './identity/withdrawn-keys.ts'

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
  reviewTables,
  distrustedPolicies,
  proofTimes,
]
