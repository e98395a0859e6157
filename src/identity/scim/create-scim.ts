/**
 * Who provisions people? Puts the room's SCIM together: what administrators manage, and what directories are answered.
 * Stops: nothing by itself. Trusts: its parts. Fails closed in each of them.
 * @see docs/decisions/0035-people-come-from-directories.md
 */
import type { Mount } from '../front/front.ts'
import type { Parts } from '../parts.ts'
import { type Adoption, createAdoption } from '../scim-connections/adopt.ts'
import type { AuthenticateToken } from '../scim-connections/authenticate.ts'
import { type Connections, createConnections } from '../scim-connections/connections.ts'
import { createMappings, type Mappings } from '../scim-connections/mappings.ts'
import { createScimMount } from './mount.ts'

/** Provisioning connections, for administrators. */
export type Provisioning = Connections & Mappings & Adoption

export interface Scim {
  readonly mount: Mount
  readonly provisioning: Provisioning
}

export function createScim(parts: Parts, authenticateToken: AuthenticateToken): Scim {
  return {
    mount: createScimMount(parts, authenticateToken),
    provisioning: { ...createConnections(parts), ...createMappings(parts), ...createAdoption(parts) },
  }
}
