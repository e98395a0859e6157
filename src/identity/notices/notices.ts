/**
 * What should a person know of their account? Sign-ins from elsewhere and every change of their factors.
 * Stops a thief from adding a factor, or coming in, without its person hearing of it.
 * Trusts the caller's transaction: the notice is written with what it tells of, or neither is. Fails with it.
 * @see ASVS 6.3.5, 6.3.7
 */
import { createId } from '#kernel'
import type { Parts, Query } from '../parts.ts'

const mostKept = 200

export const noticeKinds = [
  'sign-in-from-elsewhere',
  'authenticator-added',
  'passkey-added',
  'passkey-renamed',
  'passkey-removed',
  'passkey-cloned',
  'factor-revoked',
  'password-changed',
  'recovery-codes-replaced',
  'recovery-code-used',
  'reset-started',
  'reset-finished',
  'service-account-added',
  'service-account-renewed',
  'service-account-assigned',
  'service-account-suspended',
  'service-account-resumed',
  'service-account-removed',
  'approval-asked',
  'approval-given',
  'approval-denied',
  'review-asked',
  'review-due',
] as const

export type NoticeKind = (typeof noticeKinds)[number]

export interface Notice {
  readonly id: string
  readonly kind: NoticeKind
  readonly details: Readonly<Record<string, unknown>>
  /** Wall-clock milliseconds. */
  readonly createdAt: number
  readonly isRead: boolean
}

export interface NewNotice {
  readonly personId: string
  readonly kind: NoticeKind
  readonly nowMs: number
  readonly details?: Readonly<Record<string, unknown>>
}

export interface Notices {
  /** Tells persons; who was told the same by this name, and has not looked since, is not told again. */
  tell(personIds: readonly string[], kind: NoticeKind, details: { readonly name: string }): Promise<void>

  /** Newest first, the last 200. */
  list(personId: string): Promise<Notice[]>
  /** Takes all of them as read. */
  markRead(personId: string): Promise<void>
}

/** Tells a person, in the transaction of what is told. */
export async function addNotice(transaction: Query, { personId, kind, nowMs, details = {} }: NewNotice): Promise<void> {
  const row = { id: createId(nowMs), person_id: personId, kind, details: JSON.stringify(details), created_at: nowMs }
  await transaction
    .insertInto('notices')
    .values({ ...row, read_at: null })
    .execute()
  const oldest = await transaction
    .selectFrom('notices')
    .select('id')
    .where('person_id', '=', personId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .offset(mostKept)
    .limit(1000)
    .execute()
  if (oldest.length === 0) return
  const ids = oldest.map(({ id }) => id)
  await transaction.deleteFrom('notices').where('id', 'in', ids).execute()
}

/** Whether a person has yet to look at a notice of this kind about the same name. */
async function isTold(
  transaction: Query,
  { personId, kind, details = {} }: Omit<NewNotice, 'nowMs'>,
): Promise<boolean> {
  const unread = await transaction
    .selectFrom('notices')
    .select('details')
    .where('person_id', '=', personId)
    .where('kind', '=', kind)
    .where('read_at', 'is', null)
    .limit(mostKept)
    .execute()
  return unread.some((one) => (JSON.parse(one.details) as NewNotice['details'])?.['name'] === details['name'])
}

export function createNotices({ database, clock }: Pick<Parts, 'database' | 'clock'>): Notices {
  return {
    async tell(personIds, kind, details) {
      await database.transaction(async (transaction) => {
        for (const personId of personIds) {
          const notice = { personId, kind, details }
          // WHY: a flood of them would push out what else a person has to know of.
          if (!(await isTold(transaction, notice))) await addNotice(transaction, { ...notice, nowMs: clock.now() })
        }
      })
    },

    async list(personId) {
      const rows = await database.query
        .selectFrom('notices')
        .selectAll()
        .where('person_id', '=', personId)
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(mostKept)
        .execute()
      return rows.map((row) => ({
        id: row.id,
        // WHY: only kinds of the list are ever written.
        kind: row.kind as NoticeKind,
        details: JSON.parse(row.details) as Record<string, unknown>,
        createdAt: row.created_at,
        isRead: row.read_at !== null,
      }))
    },

    async markRead(personId) {
      const unread = database.query.updateTable('notices').set({ read_at: clock.now() }).where('read_at', 'is', null)
      await unread.where('person_id', '=', personId).execute()
    },
  }
}
