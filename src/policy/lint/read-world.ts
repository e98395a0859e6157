/**
 * What is there for rules to speak of?
 * Stops: nothing by itself: a rule about what is not there is what lint finds.
 * Trusts: the rows it reads.
 * Fails: a tool whose approved definition cannot be read counts as one without a schema.
 */
import { refuseBeyondReach } from '../roles/reach.ts'
import { readRoles, type Rows } from '../snapshot/store.ts'
import type { World } from './finding.ts'

function inputSchemaOf(definition: string | null): unknown {
  try {
    return (JSON.parse(definition ?? '{}') as { inputSchema?: unknown }).inputSchema
  } catch {
    return undefined
  }
}

async function readHolders(rows: Rows): Promise<Map<string, number>> {
  const held = await rows
    .selectFrom('role_grants')
    .innerJoin('people', 'people.id', 'role_grants.person_id')
    .select('role_grants.role')
    .where('people.status', '=', 'active')
    .where('people.kind', '=', 'person')
    .execute()
  const holders = new Map<string, number>()
  for (const { role } of held) holders.set(role, (holders.get(role) ?? 0) + 1)
  return holders
}

const changing = { permissions: ['roles:write'], resources: ['castellan'] }

async function readChangers(rows: Rows): Promise<World['changers']> {
  const roles = await readRoles(rows)
  const held = await rows
    .selectFrom('role_grants')
    .innerJoin('people', 'people.id', 'role_grants.person_id')
    .select(['people.id', 'people.name', 'role_grants.role'])
    .where('people.status', '=', 'active')
    .where('people.kind', '=', 'person')
    .orderBy('people.name')
    .execute()
  return [...Map.groupBy(held, ({ id }) => id).entries()]
    .map(([id, own]) => ({ id, name: own[0]?.name ?? '', roles: own.map(({ role }) => role).toSorted() }))
    .filter((person) => refuseBeyondReach(person, roles, [changing]) === undefined)
}

/** @param networks names that the configuration gives to networks */
export async function readWorld(rows: Rows, networks: readonly string[]): Promise<World> {
  const upstreams = await rows.selectFrom('upstreams').select('name').execute()
  const pins = await rows.selectFrom('tool_pins').select(['upstream', 'tool', 'approved_definition']).execute()
  const groups = await rows.selectFrom('scim_groups').select('display_name').execute()
  return {
    upstreams: new Set(upstreams.map(({ name }) => name)),
    tools: new Map(
      pins.map(({ upstream, tool, approved_definition: definition }) => [
        `${upstream}/${tool}`,
        inputSchemaOf(definition),
      ]),
    ),
    groups: new Set(groups.map(({ display_name: name }) => name)),
    networks: new Set(networks),
    holders: await readHolders(rows),
    changers: await readChangers(rows),
  }
}
