/**
 * Which upstreams answer together under a name of their own?
 *
 * Stops: an upstream that comes to stand in a bundle because one of its name was there before.
 * Trusts: the caller to have decided that `by` may do this.
 * Fails: with a Refusal, or a Fault of the database or ledger; then nothing has changed.
 */
import { refuse, type Clock, type Principal, type Refusal } from '#kernel'
import type { Ledger } from '#audit'
import { isDuplicate, type Database } from '#platform/database'
import { upstreamEvents } from './events.ts'
import { keepCurrent } from './kept.ts'
import { upstreamRefusals } from './refusals.ts'

/** A bundle gives nobody a right: it shows of each member what its caller may use there anyway. */
export interface Bundle {
  readonly name: string
  /** Names, in the order in which their tools are listed. */
  readonly upstreams: readonly string[]
  /** Wall-clock milliseconds. */
  readonly createdAt: number
  readonly createdBy?: string
}

export interface AddBundle {
  readonly name: string
  readonly upstreams: readonly string[]
  readonly by: Principal
}

export interface Bundles {
  /** Reads again when anything was committed since; otherwise returns at once, without a promise. */
  refresh(): void | Promise<void>
  /** As of the last `refresh`. */
  find(name: string): Bundle | undefined
  list(): Bundle[]
  add(draft: AddBundle): Promise<Bundle | Refusal>
  remove(name: string, by: Principal): Promise<Bundle | Refusal>
}

export interface BundleNeeds {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
}

export const maxBundleMembers = 64

function draftRefusal({ name, upstreams }: AddBundle): Refusal | undefined {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) return refuse(upstreamRefusals.bundleNameInvalid, { names: { name } })
  const isWrong = upstreams.length === 0 || upstreams.length > maxBundleMembers
  const isTwice = new Set(upstreams).size !== upstreams.length
  return isWrong || isTwice ? refuse(upstreamRefusals.bundleMembersInvalid) : undefined
}

async function load(database: Database): Promise<ReadonlyMap<string, Bundle>> {
  const rows = await database.query.selectFrom('bundles').selectAll().orderBy('name').execute()
  const members = await database.query.selectFrom('bundle_members').selectAll().orderBy('place').execute()
  return new Map(
    rows.map(({ name, created_at, created_by }) => {
      const upstreams = members.filter((member) => member.bundle === name).map((member) => member.upstream)
      const createdBy = created_by === null ? {} : { createdBy: created_by }
      return [name, { name, upstreams, createdAt: Number(created_at), ...createdBy }]
    }),
  )
}

function insert({ database, ledger }: BundleNeeds, bundle: Bundle, by: Principal): Promise<Refusal | undefined> {
  const { name, upstreams, createdAt } = bundle
  return database.transaction(async (transaction) => {
    // INVARIANT: asked in the transaction that adds them, so that no member is of a name that is gone by then.
    const there = await transaction.selectFrom('upstreams').select('name').where('name', 'in', upstreams).execute()
    const stranger = upstreams.find((upstream) => !there.some((row) => row.name === upstream))
    if (stranger !== undefined) return refuse(upstreamRefusals.unknown, { names: { name: stranger } })
    await transaction.insertInto('bundles').values({ name, created_at: createdAt, created_by: by.id }).execute()
    const members = upstreams.map((upstream, place) => ({ bundle: name, upstream, place }))
    await transaction.insertInto('bundle_members').values(members).execute()
    // INVARIANT: the change is committed only after the ledger has it.
    const details = { bundle: name, upstreams }
    await ledger.append(upstreamEvents.bundleAdded, { principal: by, outcome: 'succeeded', details })
    return undefined
  })
}

/** Makes the store of bundles over the database, with what is in force kept in memory. */
export function createBundles(needs: BundleNeeds): Bundles {
  const { database, ledger, clock } = needs
  const kept = keepCurrent<ReadonlyMap<string, Bundle>>(database, { empty: new Map(), load: () => load(database) })
  return {
    refresh: kept.refresh,
    find: (name) => kept.current.get(name),
    list: () => [...kept.current.values()],
    async add(draft) {
      const refused = draftRefusal(draft)
      if (refused !== undefined) return refused
      const { name, upstreams, by } = draft
      const bundle = { name, upstreams: [...upstreams], createdAt: clock.now(), createdBy: by.id }
      try {
        const unknown = await insert(needs, bundle, by)
        if (unknown !== undefined) return unknown
      } catch (error) {
        if (isDuplicate(error)) return refuse(upstreamRefusals.bundleNameTaken, { names: { name } })
        throw error
      }
      await kept.refresh()
      return bundle
    },
    async remove(name, by) {
      await kept.refresh()
      const bundle = kept.current.get(name)
      const isRemoved = await database.transaction(async (transaction) => {
        const result = await transaction.deleteFrom('bundles').where('name', '=', name).executeTakeFirst()
        if (result.numDeletedRows === 0n) return false
        await transaction.deleteFrom('bundle_members').where('bundle', '=', name).execute()
        await ledger.append(upstreamEvents.bundleRemoved, {
          principal: by,
          outcome: 'succeeded',
          details: { bundle: name },
        })
        return true
      })
      if (!isRemoved || bundle === undefined) return refuse(upstreamRefusals.bundleUnknown, { names: { name } })
      await kept.refresh()
      return bundle
    },
  }
}
