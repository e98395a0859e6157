/**
 * Is it on record by how many persons the policy is changed?
 * Stops: a start with another configuration that turns the second person off unseen.
 * Trusts: the configuration; while a node runs, a reload puts its changes on record itself.
 * Fails: without a record there is no start.
 */
import type { Ledger } from '#audit'
import type { Database } from '#platform/database'
import { recordChange } from '../record-change.ts'
import { changeEvents } from './events.ts'

const settingName = 'four-eyes'

/** Records where the configuration differs from what a node found last; in a new database only that it is on. */
export async function recordFourEyes(
  { database, ledger }: { readonly database: Database; readonly ledger: Ledger },
  isFourEyes: boolean,
): Promise<void> {
  await recordChange(database, ledger, async (rows, record) => {
    const found = await rows
      .selectFrom('policy_settings')
      .select('value')
      .where('name', '=', settingName)
      .executeTakeFirst()
    const wasOn = found?.value === 'on'
    if (wasOn === isFourEyes) return
    const value = isFourEyes ? 'on' : 'off'
    await rows
      .insertInto('policy_settings')
      .values({ name: settingName, value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
      .execute()
    await record(changeEvents.fourEyesSet, { details: { from: wasOn ? 'on' : 'off', to: value } })
  })
}
