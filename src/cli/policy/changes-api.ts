import { base, itemsOf, segment } from '../remote/api.ts'
import type { AdminClient } from '../remote/admin-client.ts'
import type { FolderFile } from './policy-folder.ts'

export interface Finding {
  readonly code: string
  readonly severity: 'error' | 'warning'
  readonly rule: string
  readonly file: string | null
  readonly line: number | null
  readonly column: number | null
  readonly says: string
  readonly hint: string
}

export interface TestResult {
  readonly name: string
  readonly file: string
  readonly line: number
  readonly column: number
  readonly hasPassed: boolean
  readonly says: string
}

export interface ChangedItem {
  readonly kind: 'role' | 'file' | 'test'
  readonly name: string
  readonly change: 'added' | 'changed' | 'removed'
  readonly before: string | null
  readonly after: string | null
}

export interface Checked {
  readonly baseVersion: number
  readonly changes: readonly ChangedItem[]
  readonly losses: readonly { readonly role: string; readonly isRemoved: boolean; readonly people: readonly string[] }[]
  readonly findings: readonly Finding[]
  readonly tests: readonly TestResult[]
}

interface PersonName {
  readonly id: string
  readonly name: string
}

export interface Draft {
  readonly id: string
  readonly baseVersion: number
  readonly hash: string
  readonly state: 'draft' | 'proposed' | 'published' | 'abandoned'
  readonly author: PersonName
  readonly editors: readonly PersonName[]
  readonly note: string
  readonly publishedVersion: number | null
  readonly decisions: readonly { readonly by: PersonName; readonly decision: string; readonly at: string }[]
  readonly createdAt: string
  readonly findings: readonly Finding[]
  readonly tests: readonly TestResult[]
}

export interface PastSnapshot {
  readonly version: number
  readonly hash: string
  readonly createdAt: string
  readonly author: string | null
  readonly publisher: string | null
  readonly note: string
  readonly cameFrom: { readonly kind: string; readonly role?: string; readonly version?: number } | null
}

interface NamedText {
  readonly name: string
  readonly text: string
}

export interface KeptSnapshot {
  readonly version: number
  readonly hash: string
  readonly cedar: string
  readonly files: readonly NamedText[]
  readonly tests: readonly NamedText[]
  readonly note: string | null
}

export interface AskedFolder {
  readonly files: readonly FolderFile[]
  readonly prune: boolean
}

function draftApi({ call }: AdminClient) {
  const path = (id: string, rest = '') => `${base}/policy/drafts/${segment(id)}${rest}` as const
  return {
    list: async () => itemsOf<Draft>(await call('GET', `${base}/policy/drafts`)),
    show: async (id: string) => (await call('GET', path(id))) as { draft: Draft; now: Checked; isFourEyes: boolean },
    make: async (body: AskedFolder & { note: string }) =>
      (await call('POST', `${base}/policy/drafts`, { body })) as Draft,
    edit: async (id: string, body: AskedFolder) => (await call('PUT', path(id), { body })) as Draft,
    propose: async (id: string, body: { hash: string; acceptWarnings: boolean }) =>
      (await call('POST', path(id, '/propose'), { body })) as Draft,
    publish: async (id: string, body: { hash: string; acceptWarnings: boolean; note?: string }) =>
      (await call('POST', path(id, '/publish'), { body })) as {
        version: number
        hash: string
        acceptedWarnings: readonly string[]
      },
    abandon: async (id: string, body: { note: string }) =>
      (await call('POST', path(id, '/abandon'), { body })) as Draft,
  }
}

/** What the admin API knows of changes of the policy. */
export function changesApi(client: AdminClient) {
  const { call } = client
  return {
    drafts: draftApi(client),
    schema: async () => (await call('GET', `${base}/policy/schema`)) as { cedar: string },
    check: async (body: AskedFolder) =>
      (await call('POST', `${base}/policy/check`, { body })) as Checked & { isFourEyes: boolean },
    history: async (query: { before?: number }) =>
      itemsOf<PastSnapshot>(await call('GET', `${base}/policy/history`, { query })),
    snapshot: async (version: number) => (await call('GET', `${base}/policy/snapshots/${version}`)) as KeptSnapshot,
    current: async () => (await call('GET', `${base}/policy/snapshot`)) as { version: number; isDistrusted: boolean },
    diff: async (query: { from: number; to: number }) =>
      itemsOf<ChangedItem>(await call('GET', `${base}/policy/diff`, { query })),
    rollBack: async (body: { version: number; note: string }) =>
      (await call('POST', `${base}/policy/rollback`, { body })) as Draft,
    rollBackNow: async (body: { version: number; note: string }) =>
      (await call('POST', `${base}/policy/rollback-now`, { body })) as { version: number; hash: string },
  }
}
