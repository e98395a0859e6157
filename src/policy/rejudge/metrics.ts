/**
 * How often does the official engine judge again, and what does it say?
 * Stops: a distrusted snapshot that nobody sees.
 * Trusts: what judges again, for what it says of each answer.
 * Fails: nothing here can fail; counting changes nothing.
 */
import { defineMetric, type Meter } from '#platform/telemetry'

export const policyRejudged = defineMetric({
  name: 'castellan.policy_rejudged',
  kind: 'counter',
  unit: '1',
  says: 'decisions that the official engine judged again: agreed, disagreed, or unanswered where it could not judge',
  labels: ['outcome'],
})

export const policyDistrusted = defineMetric({
  name: 'castellan.policy_distrusted',
  kind: 'gauge',
  unit: '1',
  says: '1 while everything is denied because the official engine disagreed with a decision of the snapshot in force, else 0',
  labels: [],
})

/** Where metrics are counted. */
export type RejudgeMeter = Pick<Meter, 'counter' | 'observe'>

/** How one judgement ended. */
export type RejudgeOutcome = 'agreed' | 'disagreed' | 'unanswered'

/** Counts judgements, and tells whether the snapshot in force is distrusted whenever somebody reads the metrics. */
export function countRejudged(meter: RejudgeMeter, isDistrusted: () => boolean): (outcome: RejudgeOutcome) => void {
  const judged = meter.counter(policyRejudged)
  meter.observe(policyDistrusted, () => [[{}, Number(isDistrusted())]])
  return (outcome) => judged.with({ outcome }).add()
}
