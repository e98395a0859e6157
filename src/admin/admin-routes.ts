import { grantRoutes } from './credentials/grants.ts'
import { sessionRoutes } from './credentials/sessions.ts'
import { accountRoutes } from './resources/account.ts'
import { auditRoutes } from './resources/audit.ts'
import { bundleRoutes } from './resources/bundles.ts'
import { configRoutes } from './resources/config.ts'
import { endpointRoutes } from './resources/endpoints.ts'
import { enrolmentRoutes } from './resources/enrolments.ts'
import { factorRoutes } from './resources/factors.ts'
import { holdRoutes } from './resources/holds.ts'
import { ownPasskeyRoutes } from './resources/own-passkeys.ts'
import { peopleRoutes } from './resources/people.ts'
import { clientRoutes } from './resources/clients.ts'
import { providerRoutes } from './resources/providers.ts'
import { policyLifeRoutes } from './policy/index.ts'
import { resetRoutes } from './resources/resets.ts'
import { roleRoutes } from './resources/roles.ts'
import { serviceAccountRoutes } from './resources/service-accounts.ts'
import { scimRoutes } from './resources/scim.ts'
import { tokenRoutes } from './resources/tokens.ts'
import { upstreamRoutes } from './resources/upstreams.ts'
import type { Route } from './route.ts'

/** Every route of the admin API. */
export const adminRoutes: readonly Route[] = [
  ...enrolmentRoutes,
  ...accountRoutes,
  ...tokenRoutes,
  ...sessionRoutes,
  ...grantRoutes,
  ...ownPasskeyRoutes,
  ...peopleRoutes,
  ...factorRoutes,
  ...resetRoutes,
  ...roleRoutes,
  ...providerRoutes,
  ...scimRoutes,
  ...clientRoutes,
  ...serviceAccountRoutes,
  ...policyLifeRoutes,
  ...upstreamRoutes,
  ...endpointRoutes,
  ...bundleRoutes,
  ...holdRoutes,
  ...auditRoutes,
  ...configRoutes,
]
