/**
 * Which programs may act here with nobody at a keyboard, and who answers for each?
 * Stops: an agent without an owner or an end.
 * Trusts: the caller for permission to act; who it was is recorded. Fails closed: no entry in the ledger, no change.
 * @see docs/decisions/0036-service-accounts.md
 */
import type { Refusal } from '#kernel'
import { canonicalName } from '../names.ts'
import type { Parts } from '../parts.ts'
import { type NewServiceAccount, addAccount } from './add-account.ts'
import {
  type AccountChange,
  assignAccount,
  removeAccount,
  renewAccount,
  resumeAccount,
  suspendAccount,
} from './change-account.ts'
import { type ServiceAccountView, readAccounts } from './read-accounts.ts'

type Answer = Promise<ServiceAccountView | Refusal>

export interface ServiceAccounts {
  /** The next to end first, without those that were removed. @param ownerId only those of this owner */
  list(ownerId?: string): Promise<ServiceAccountView[]>
  /** @param nameOrId any spelling of the name, or the id */
  find(nameOrId: string): Promise<ServiceAccountView | undefined>
  add(fresh: NewServiceAccount): Answer
  /** Moves its end, also after it; 90 days from this moment unless told. */
  renew(change: AccountChange & { readonly days?: number | undefined }): Answer
  /** Gives it another owner; what the former owner made for it ends. */
  assign(change: AccountChange & { readonly to: string }): Answer
  suspend(change: AccountChange): Answer
  resume(change: AccountChange): Answer
  /** For good. */
  remove(change: AccountChange): Answer
}

export function createServiceAccounts(parts: Parts): ServiceAccounts {
  const { database, clock } = parts
  return {
    list: (ownerId) => readAccounts(database.query, clock.now(), ownerId === undefined ? {} : { ownerId }),
    async find(nameOrId) {
      // WHY: the id goes first, because nothing stops a name from looking like the id of another.
      const [byId] = await readAccounts(database.query, clock.now(), { id: nameOrId })
      const name = canonicalName(nameOrId)
      if (byId !== undefined || name === undefined) return byId
      const row = database.query.selectFrom('people').select('id').where('name', '=', name)
      const found = await row.where('kind', '=', 'service').executeTakeFirst()
      return found && (await readAccounts(database.query, clock.now(), { id: found.id })).at(0)
    },
    add: (fresh) => addAccount(parts, fresh),
    renew: (change) => renewAccount(parts, change),
    assign: (change) => assignAccount(parts, change),
    suspend: (change) => suspendAccount(parts, change),
    resume: (change) => resumeAccount(parts, change),
    remove: (change) => removeAccount(parts, change),
  }
}
