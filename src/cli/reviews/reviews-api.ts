import type { AdminClient } from '../remote/admin-client.ts'
import { base, segment } from '../remote/api.ts'

export interface Use {
  readonly uses: number
  readonly lastAt: string
  readonly ledger: string
  readonly seq: number
}

interface Assigned {
  readonly how: string
  readonly by: string | null
  readonly at: string | null
}

export interface Barrier {
  readonly rule: string
  readonly place: string
  readonly remedy: string | null
}

export interface HeldGrant {
  readonly rule: string
  readonly place: string
  readonly permissions: readonly string[]
  readonly resources: readonly string[]
  readonly stepUp: boolean
  readonly when: string | null
  readonly barriers: readonly Barrier[]
  readonly use: Use | null
}

export interface RoleLine {
  readonly kind: 'role'
  readonly person: { readonly id: string; readonly name: string; readonly kind: string; readonly status: string }
  readonly role: string
  readonly assigned: Assigned
  readonly hold: string | null
  readonly grants: readonly HeldGrant[]
  readonly use: Use | null
}

export interface RuleLine {
  readonly kind: 'rule'
  readonly rule: { readonly rule: string; readonly place: string; readonly isFor: string; readonly text: string }
  readonly barriers: readonly Barrier[]
  readonly use: Use | null
}

export type AccessLine = RoleLine | RuleLine

export interface UnusedLine {
  readonly kind: string
  readonly verdict: string
  readonly role: string | null
  readonly rule: string | null
  readonly place: string | null
  readonly person: { readonly id: string; readonly name: string; readonly kind: string } | null
  readonly assigned: Assigned | null
  readonly inForceSince: string | null
  readonly use: Use | null
  readonly suggestion: { readonly permissions: readonly string[]; readonly resources: readonly string[] } | null
}

export interface Evidence {
  readonly since: string
  readonly from: string
  readonly upTo: string | null
  readonly ledgers: readonly { readonly ledger: string; readonly beginsAt: string; readonly readAt: string }[]
}

export interface Page<Line> {
  readonly items: readonly Line[]
  readonly next: string | null
  readonly evidence: Evidence
}

export interface AccessQuery {
  readonly person?: string
  readonly role?: string
  readonly server?: string
  readonly tool?: string
  readonly since: string
}

export interface Campaign {
  readonly id: string
  readonly name: string
  readonly reviewers: readonly string[]
  readonly whenDue: string
  readonly dueAt: string
  readonly isOverdue: boolean
  readonly state: string
  readonly snapshotVersion: number
  readonly evidence: { readonly since: string; readonly from: string; readonly upTo: string | null }
  readonly createdAt: string
  readonly closedAt: string | null
  readonly draft: string | null
  readonly exportHash: string | null
}

export interface WholeCampaign extends Campaign {
  readonly counts: Readonly<Record<string, number>>
}

export interface NewCampaign {
  readonly name: string
  readonly kinds: readonly string[]
  readonly roles: readonly string[]
  readonly servers: readonly string[]
  readonly labels: readonly string[]
  readonly people: readonly string[]
  readonly reviewers: readonly string[]
  readonly dueAt: string
  readonly whenDue?: string
  readonly since?: string
}

interface Named {
  readonly id: string
  readonly name: string
}

export type Subject =
  | {
      readonly kind: 'assignment'
      readonly person: Named
      readonly role: string
      readonly how: string
      readonly by: string | null
      readonly grantedAt: number
    }
  | {
      readonly kind: 'grant'
      readonly role: string
      readonly number: number
      readonly grant: Pick<HeldGrant, 'permissions' | 'resources'> & { readonly when?: string }
    }
  | {
      readonly kind: 'account'
      readonly person: Named
      readonly purpose: string
      readonly owner: string
      readonly roles: readonly { readonly role: string }[]
    }

export interface PlainItem {
  readonly place: number
  readonly subject: Subject
  readonly evidence: {
    readonly uses: number
    readonly lastAt: number | null
    readonly ledger: string | null
    readonly seq: number | null
  }
  readonly reviewers: readonly string[]
  readonly state: string
  readonly decidedBy: string | null
  readonly decidedAt: number | null
  readonly reason: string
  readonly outcome: {
    readonly done: string
    readonly byName?: string
    readonly source?: string
    readonly refusal?: string
  } | null
}

export interface Item extends PlainItem {
  readonly revision: number
}

export type ExportLine =
  | { readonly kind: 'campaign'; readonly campaign: object }
  | { readonly kind: 'item'; readonly item: PlainItem }
  | { readonly kind: 'end'; readonly items: number; readonly sha256: string }
  | { readonly kind: 'broken'; readonly code: string }

/** Reviews of access, by the admin API. */
export function reviewsApi({ call, lines }: AdminClient) {
  const campaigns = `${base}/reviews/campaigns` as const
  const path = (id: string, rest = '') => `${campaigns}/${segment(id)}${rest}` as const

  async function* pages<Line>(address: `/${string}`, query: object): AsyncGenerator<Page<Line>, void> {
    let after: string | undefined
    do {
      const asked = { ...query, limit: 200, ...(after !== undefined && { after }) }
      const page = (await call('GET', address, { query: asked })) as Page<Line>
      yield page
      after = page.next ?? undefined
    } while (after !== undefined)
  }

  return {
    access: (query: AccessQuery) => pages<AccessLine>(`${base}/reviews/access`, query),
    unused: (query: { readonly since: string }) => pages<UnusedLine>(`${base}/reviews/unused`, query),
    begin: async (body: NewCampaign) => (await call('POST', campaigns, { body })) as WholeCampaign,
    list: async (query: { readonly before?: string }) =>
      (await call('GET', campaigns, { query })) as {
        readonly items: readonly Campaign[]
        readonly next: string | null
      },
    find: async (id: string) => (await call('GET', path(id))) as WholeCampaign,
    items: async (id: string, query: { readonly after: number; readonly limit: number; readonly state?: string }) =>
      (await call('GET', path(id, '/items'), { query })) as {
        readonly items: readonly Item[]
        readonly next: number | null
      },
    decide: async (id: string, place: number, body: { decision: string; revision: number; reason: string }) =>
      (await call('POST', path(id, `/items/${place}/decide`), { body })) as Item,
    delegate: async (id: string, place: number, body: { to: string; revision: number; reason: string }) =>
      (await call('POST', path(id, `/items/${place}/delegate`), { body })) as Item,
    close: async (id: string, body: { leaveOpen: boolean }) =>
      (await call('POST', path(id, '/close'), { body })) as WholeCampaign,
    export: (id: string) => lines('GET', path(id, '/export'), {}) as AsyncGenerator<ExportLine, void>,
  }
}
