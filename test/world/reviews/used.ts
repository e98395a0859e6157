/** Calls that were let pass, put on record as the gateway does, and what reviews say of them. */
import { defineEvent } from '#audit'
import { isRefusal, type Principal } from '#kernel'
import { expect } from 'vitest'
import type { PolicyWorld } from '../policy.ts'
import type { AccessFilter, AccessLine, Cursor } from '../../../src/policy/reviews/access.ts'
import type { UnusedCursor, UnusedLine } from '../../../src/policy/reviews/unused.ts'

const intended = defineEvent({ name: 'call.intended', says: 'a call' })
export const dayMs = 86_400_000

interface Called {
  readonly by: Principal
  readonly tool?: string
  readonly upstream?: string
  readonly rules: readonly string[]
  readonly effect?: string
  readonly kind?: 'tool' | 'resource' | 'prompt' | 'server'
}

type Callable = Pick<PolicyWorld, 'ledger' | 'policy'>

export async function call({ ledger, policy }: Callable, called: Called) {
  const { by, tool = 'read', upstream = 'notes', rules, effect, kind = 'tool' } = called
  const target = kind === 'server' ? { upstream, kind } : { upstream, kind, name: tool }
  const details = {
    rules,
    snapshot: policy.snapshot().version,
    judged: { roles: by.roles, ...(effect !== undefined && { labels: { effect } }) },
  }
  return ledger.append(intended, { principal: by, target, outcome: 'intended', details })
}

export async function put({ policy, root }: PolicyWorld, name: string, grants: readonly object[], owner?: string) {
  const proposed = { name, description: '', grants: grants as never, ...(owner !== undefined && { owner }), by: root }
  const made = await policy.roles.put(proposed)
  if (isRefusal(made)) throw new Error(made.says)
}

export async function access({ policy }: Pick<PolicyWorld, 'policy'>, filter: Partial<AccessFilter> = {}, limit = 2) {
  const lines: AccessLine[] = []
  let cursor: Cursor | undefined
  do {
    const page = await policy.reviews.access({ since: 0, ...filter }, { cursor, limit })
    expect(page.lines.length).toBeLessThanOrEqual(cursor?.part === 'rules' ? 100 : limit)
    lines.push(...page.lines)
    cursor = page.next
  } while (cursor !== undefined)
  return lines
}

export async function unused({ policy }: Pick<PolicyWorld, 'policy'>, since: number, limit = 2) {
  const lines: UnusedLine[] = []
  let cursor: UnusedCursor | undefined
  do {
    const page = await policy.reviews.unused(since, { cursor, limit })
    lines.push(...page.lines)
    cursor = page.next
  } while (cursor !== undefined)
  return lines
}

export function said(line: AccessLine): string {
  if (line.kind === 'rule') return `${line.permit.isFor} by ${line.permit.rule}: ${line.use?.uses ?? 0}`
  return `${line.person.name} ${line.role} ${line.assigned.how} ${line.assigned.by ?? '-'}: ${line.use?.uses ?? 0}`
}

export const about = ({ kind, verdict, role, permit, person }: UnusedLine) =>
  `${verdict} ${kind} ${person?.name ?? ''} ${permit?.rule ?? role ?? ''}`.replace(/ +/g, ' ')

export const reading = { permissions: ['servers:use', 'tools:call'], resources: ['notes', 'notes/tools/*'] }
export const writing = { permissions: ['tools:call'], resources: ['files/tools/write'] }

export async function publish({ policy, root }: PolicyWorld, text: string) {
  const made = await policy.changes.drafts.make({
    files: [{ path: 'policies/more.cedar', text }],
    isPruning: false,
    note: '',
    by: root,
  })
  if (isRefusal(made)) throw new Error(made.says)
  const published = await policy.changes.publish({ id: made.id, hash: made.hash, mayWarn: true, note: '', by: root })
  if (isRefusal(published)) throw new Error(published.says)
  await policy.refresh()
}
