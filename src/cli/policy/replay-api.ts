import type { AdminClient } from '../remote/admin-client.ts'
import { base } from '../remote/api.ts'
import type { FolderFile } from './policy-folder.ts'

type Judged = 'allowed' | 'denied' | 'untold'
type Change = 'loosened' | 'tightened' | 'untold'

export interface Target {
  readonly upstream: string
  readonly kind: string
  readonly name?: string
}

interface Remedy {
  readonly rule: string
  readonly kind: string
}

export interface ChangedCall {
  readonly kind: 'change'
  readonly change: Change
  readonly seq: number
  readonly time: string
  readonly person: { readonly id: string; readonly name: string }
  readonly target: Target
  readonly before: { readonly judged: Judged; readonly rules: readonly string[] }
  readonly after: {
    readonly judged: Judged
    readonly reasons: readonly { readonly rule: string; readonly place?: string }[]
    readonly remedies: readonly Remedy[]
  }
  readonly inForce: Judged
}

interface Counts {
  readonly calls: number
  readonly unchanged: number
  readonly loosened: number
  readonly tightened: number
  readonly untold: number
  readonly notRecorded: number
}

interface Far {
  readonly counts: Counts
  readonly before: number
  readonly done: number
  readonly callsPerSecond: number
  readonly seconds: number
  readonly secondsLeft?: number
}

interface Count {
  readonly name: string
  readonly loosened: number
  readonly tightened: number
  readonly untold: number
}

export interface Summary extends Far {
  readonly kind: 'summary'
  readonly ended: 'whole' | 'most-calls' | 'stopped'
  readonly totals: Readonly<Record<'people' | 'tools' | 'rules', readonly Count[]>>
}

export type ReplayLine =
  | ChangedCall
  | ({ readonly kind: 'progress' } & Far)
  | Summary
  | { readonly kind: 'broken'; readonly code: string }

export interface AskedReplay {
  readonly draft?: string
  readonly folder?: { readonly files: readonly FolderFile[]; readonly prune: boolean }
  readonly since?: string
  readonly until?: string
  readonly person?: string
  readonly upstream?: string
  readonly tool?: string
  readonly decision?: string
  readonly mostCalls?: number
  readonly before?: number
}

export interface ExplainedRule {
  readonly rule: string
  readonly says: string
  readonly effect?: string
  readonly place?: string
  readonly text?: string
  readonly inputs?: Readonly<Record<string, unknown>>
}

export interface Explanation {
  readonly isAllowed: boolean
  readonly mayDepend: boolean
  readonly rules: readonly ExplainedRule[]
  readonly unmet: readonly ExplainedRule[]
  readonly remedies: readonly Remedy[]
  readonly snapshotVersion: number
}

export interface ExplainedCall {
  readonly seq: number
  readonly time: string
  readonly exchange: string | null
  readonly person: { readonly id: string; readonly name: string } | null
  readonly address: string | null
  readonly target: Target | null
  readonly method: string
  readonly wasAllowed: boolean
  readonly refusal: string | null
  readonly refusedBy: string | null
  readonly snapshot: number
  readonly recorded: readonly ExplainedRule[]
  readonly past: readonly Explanation[] | string
  readonly inForce: readonly Explanation[] | string
}

export interface Question {
  readonly permission: string
  readonly target: string
  readonly arguments?: string
  readonly address?: string
  readonly at?: string
  readonly factors?: string
  readonly labels?: string
  /** A JSON array of texts. */
  readonly consents?: string
}

export interface Holder {
  readonly id: string
  readonly name: string
  readonly kind: 'person' | 'service'
  readonly answer: 'allowed' | 'depends' | 'remedy'
  readonly through: readonly ExplainedRule[]
  readonly remedies: readonly Remedy[]
  readonly hold: string | null
}

/** Questions to the policy and about the past, by the admin API. */
export function replayApi({ call, lines }: AdminClient) {
  const queryOf = (question: Question & { readonly person?: string }) => ({ query: { ...question } })
  return {
    replay: (body: AskedReplay) => lines('POST', `${base}/policy/replay`, { body }) as AsyncGenerator<ReplayLine, void>,
    explain: async (entry: string) =>
      (await call('GET', `${base}/policy/explain`, { query: { entry } })) as ExplainedCall,
    decide: async (question: Question & { readonly person: string }) =>
      (await call('GET', `${base}/policy/decide`, queryOf(question))) as Explanation & { readonly hold: string | null },
    whoCan: async (question: Question) =>
      (await call('GET', `${base}/policy/who-can`, queryOf(question))) as {
        readonly items: readonly Holder[]
        readonly isCut: boolean
        readonly snapshotVersion: number
      },
  }
}
