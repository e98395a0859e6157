/** A stage for campaigns: roles with and without owners, and people who may review or not. */
import { isRefusal, type Principal, type Refusal } from '#kernel'
import { addPerson, openPolicy, type PolicyWorld } from '../policy.ts'
import type { Policy } from '#policy'
import type { ProposedCampaign, Item, Scope } from '../../../src/policy/campaigns/campaign.ts'

export const dayMs = 86_400_000
export const everything: Scope = { kinds: [], roles: [], servers: [], labels: [], people: [] }
export const reading = { permissions: ['servers:use', 'tools:call'], resources: ['notes', 'notes/tools/*'] }
export const adding = { permissions: ['tools:call'], resources: ['notes/tools/add'], when: 'context.time.hour < 18' }

export function must<Value>(value: Value | Refusal): Value {
  if (isRefusal(value)) throw new Error(`${value.code}: ${value.says}`)
  return value
}

export const codeOf = (value: unknown) => (isRefusal(value) ? value.code : value)

export interface Stage extends PolicyWorld {
  readonly bo: Principal
  readonly cy: Principal
  /** Owns the role `reader`. */
  readonly ria: Principal
  /** May review, and owns nothing. */
  readonly rex: Principal
  begin(
    more?: Partial<Omit<ProposedCampaign, 'scope'>> & { readonly scope?: Partial<Scope>; readonly by?: Principal },
  ): Promise<string>
  items(id: string): Promise<readonly Item[]>
}

export function proposal(
  now: number,
  more: Partial<Omit<ProposedCampaign, 'scope'>> & { readonly scope?: Partial<Scope> } = {},
): ProposedCampaign {
  const { scope, ...rest } = more
  return {
    name: 'q3',
    reviewers: [],
    whenDue: 'open',
    dueAt: now + 14 * dayMs,
    since: now - 90 * dayMs,
    ...rest,
    scope: { ...everything, ...scope },
  }
}

export async function stage(database: Parameters<typeof openPolicy>[0], settings = {}): Promise<Stage> {
  const world = await openPolicy(database, settings)
  const { policy, root, clock } = world
  const put = async (name: string, grants: readonly object[], owner?: string) =>
    must(
      await policy.roles.put({
        name,
        description: '',
        grants: grants as never,
        ...(owner !== undefined && { owner }),
        by: root,
      }),
    )
  await put('reviewer', [{ permissions: ['reviews:read', 'reviews:write'], resources: ['castellan'] }])
  await put('reader', [reading, adding], ' Ria')
  await put('writer', [{ permissions: ['tools:call'], resources: ['files/tools/write'] }], 'nobody-there')
  const bo = await addPerson(database, clock, 'bo', 'reader')
  const cy = await addPerson(database, clock, 'cy', 'reader', 'writer')
  const ria = await addPerson(database, clock, 'ria', 'reviewer', 'reader')
  const rex = await addPerson(database, clock, 'rex', 'reviewer')
  await policy.refresh()
  return {
    ...world,
    bo,
    cy,
    ria,
    rex,
    begin: async ({ by = root, ...more } = {}) =>
      must(await policy.reviews.campaigns.begin(proposal(clock.now(), more), by)).id,
    items: async (id) => policy.reviews.campaigns.items({ campaign: id, after: 0, limit: 500 }),
  }
}

export const ofRole = { scope: { kinds: ['assignment' as const], roles: ['reader'] } }

export function itemOf(items: readonly Item[], person: Principal): Item {
  const found = items.find(({ personId }) => personId === person.id)
  if (found === undefined) throw new Error(`no item of ${person.name}`)
  return found
}

export async function decide(
  policy: Policy,
  item: Item,
  by: Principal,
  decision: 'keep' | 'revoke',
  reason = 'looked',
) {
  return policy.reviews.campaigns.decide({
    campaign: item.campaign,
    place: item.place,
    revision: item.revision,
    decision,
    reason,
    by,
  })
}

export async function addAccount(world: PolicyWorld, owner: Principal): Promise<Principal> {
  const { database, clock } = world
  const robot = await addPerson(database, clock, 'robot', 'reader')
  await database.query
    .updateTable('people')
    .set({ kind: 'service', password_hash: null })
    .where('id', '=', robot.id)
    .execute()
  const made = { created_at: clock.now(), created_by: null, removed_at: null }
  const account = {
    person_id: robot.id,
    owner_id: owner.id,
    purpose: 'reads',
    expires_at: clock.now() + dayMs,
    may_read_admin: 0 as const,
  }
  await database.query
    .insertInto('service_accounts')
    .values({ ...account, ...made })
    .execute()
  return { ...robot, isService: true }
}

export async function events(world: Pick<PolicyWorld, 'ledger'>, event: string) {
  return world.ledger.read({ event, limit: 1000 })
}
