import type { Migration } from '../migrate.ts'

// WHY: a row of its own, so that it is listed, named in grants and blocked like any other client.
const client = `insert into oauth_clients
  (id, name, registered_by, redirect_hosts, created_at, approved_at)
  values ('castellan-cli', 'Castellan in a terminal', 'built-in', '[]', 0, 0)`

/** The client that the `castellan` program is when it signs in by a browser. */
export const terminalClient: Migration = {
  version: 12,
  name: 'terminal',
  statements: { sqlite: [client], postgres: [client] },
}
