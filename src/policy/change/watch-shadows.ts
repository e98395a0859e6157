/**
 * What would rules that are judged aside have changed?
 * Stops: a rule that is tried out on real calls slowing them, changing their answers, or filling the ledger.
 * Trusts: `shadowsOf`, which never throws.
 * Fails: what comes too fast is not judged but counted; what cannot be recorded is lost, and no call notices.
 */
import type { Ledger } from '#audit'
import type { Clock } from '#kernel'
import type { Policy } from '../policy.ts'
import { changeEvents } from './events.ts'

type Put = Parameters<Policy['shadowsOf']>[0]

export interface ShadowWatch {
  /** Takes a question that was decided; judged later, by itself. Costs nothing where no rule is judged aside. */
  note(put: Put): void
  /** Judges what waits and records what was counted; soon after the first call, then once a minute, by itself. */
  flush(): Promise<void>
}

export interface ShadowNeeds extends Pick<Policy, 'shadowsOf'> {
  readonly ledger: Ledger
  readonly clock: Clock
  /** Whether any rule of the snapshot in force is judged aside, and which snapshot that is. */
  current(): { readonly version: number; readonly hasShadows: boolean } | undefined
}

interface Count {
  allow: number
  deny: number
  fail: number
  readonly samples: object[]
}

const maxWaiting = 256
const maxRules = 100
const maxSamples = 5
const callsAtOnce = 16
const restMs = 20
const recordEveryMs = 60_000
/** WHY: whoever has just published a rule wants to see soon that it is judged. */
const firstRecordMs = 1_000
const otherRules = 'others'

function sampleOf({ principal, permission, target }: Put): object {
  return { person: principal.id, permission, target }
}

/** What was counted since the last record. */
function createTally({ shadowsOf, ledger, clock }: Pick<ShadowNeeds, 'shadowsOf' | 'ledger' | 'clock'>) {
  const empty = () => ({ judged: 0, missed: 0, version: 0, since: clock.now() })
  let counts = new Map<string, Count>()
  let seen = empty()

  function countOf(rule: string): Count {
    const key = counts.has(rule) || counts.size < maxRules ? rule : otherRules
    const count = counts.get(key) ?? { allow: 0, deny: 0, fail: 0, samples: [] }
    counts.set(key, count)
    return count
  }

  return {
    miss: () => void seen.missed++,
    judge(put: Put): void {
      seen.judged++
      for (const { rule, would } of shadowsOf(put)) {
        const count = countOf(rule)
        count[would]++
        if (count.samples.length < maxSamples) count.samples.push({ ...sampleOf(put), would })
      }
    },
    under(version: number): void {
      seen.version = version
    },
    async record(): Promise<void> {
      const told = [...counts]
      const { judged, missed, version, since } = seen
      counts = new Map()
      seen = empty()
      for (const [rule, { samples, ...count }] of told) {
        const seenBy = { rule, snapshot: version, since: new Date(since).toISOString(), judged, missed }
        const details = { ...seenBy, ...count, samples }
        await ledger.append(changeEvents.shadowDiffered, { outcome: 'succeeded', details }).catch(() => undefined)
      }
    },
  }
}

/** Judges and counts aside. Holds no process open. */
export function createShadowWatch({ current, ...needs }: ShadowNeeds): ShadowWatch {
  const tally = createTally(needs)
  let waiting: Put[] = []
  let isWorking = false
  let recording: NodeJS.Timeout | undefined
  let recordedAt = -Infinity

  function work(): void {
    for (const put of waiting.splice(0, callsAtOnce)) tally.judge(put)
    isWorking = waiting.length > 0
    if (isWorking) setTimeout(work, restMs).unref()
  }

  async function record(): Promise<void> {
    clearTimeout(recording)
    recording = undefined
    recordedAt = needs.clock.now()
    await tally.record()
  }

  return {
    note(put) {
      const policy = current()
      if (policy?.hasShadows !== true) return
      if (recording === undefined) {
        const leftMs = Math.min(recordEveryMs, recordedAt + recordEveryMs - needs.clock.now())
        recording = setTimeout(() => void record(), Math.max(firstRecordMs, leftMs)).unref()
      }
      tally.under(policy.version)
      if (waiting.length >= maxWaiting) return tally.miss()
      waiting.push(put)
      if (isWorking) return
      isWorking = true
      setTimeout(work, restMs).unref()
    },
    async flush() {
      const all = waiting
      waiting = []
      for (const put of all) tally.judge(put)
      await record()
    },
  }
}
