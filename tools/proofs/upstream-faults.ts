/** The promise that no upstream, however it fails, hurts more than its own callers: real processes, one fault after the other. */
import { crashes, type CrashFigures } from '../upstream-faults/crashes.ts'
import { losesEndpoint, type LossFigures } from '../upstream-faults/endpoint-loss.ts'
import { opensAndCloses, type BreakerFigures } from '../upstream-faults/breaker.ts'
import { type FaultFigures, runFaults } from '../upstream-faults/faults.ts'
import { setStage } from '../upstream-faults/stage.ts'
import type { Proof, ProofOutcome } from './contract.ts'

function row(cells: readonly unknown[]): string {
  const [name, ...rest] = cells
  return `${String(name).padEnd(20)}${rest.map((cell) => String(cell).padStart(12)).join('')}`
}

function tellFaults(faults: readonly FaultFigures[]): void {
  console.log(row(['fault', 'calls', 'as it must', 'left open', 'longest s', 'others p99', 'calm p99', 'RSS +MB']))
  for (const one of faults) {
    const seconds = (one.longestMs / 1_000).toFixed(1)
    const p99s = [one.othersP99Ms, one.calmP99Ms].map((value) => `${value.toFixed(1)} ms`)
    const cells = [one.name, one.calls, one.asExpected, one.leftOpen, seconds, ...p99s, one.grownMb.toFixed(0)]
    console.log(`${row(cells)}  ${JSON.stringify(one.codes)}`)
  }
}

interface Found {
  readonly faults: readonly FaultFigures[]
  readonly breaker: BreakerFigures
  readonly loss: LossFigures
  readonly crash: CrashFigures
}

function judge({ faults, breaker, loss, crash }: Found): ProofOutcome {
  const isolated = faults.every((one) => one.asExpected === one.calls && one.leftOpen === 0 && one.othersFailed === 0)
  // WHY: of one fault alone a p99 is a few calls, and this machine has other work; all of them together are not.
  const worstRatio = Math.max(...faults.map((one) => one.ratio))
  const sorted = faults.map((one) => one.ratio).toSorted((one, other) => one - other)
  const medianRatio = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const mostGrownMb = Math.max(...faults.map((one) => one.grownMb))
  return {
    holds: isolated && worstRatio <= 2 && mostGrownMb <= 128 && breaker.holds && loss.holds && crash.holds,
    faults: faults.length,
    isolated,
    worstRatio: Number(worstRatio.toFixed(2)),
    medianRatio: Number(medianRatio.toFixed(2)),
    mostGrownMb: Math.round(mostGrownMb),
    breaker,
    loss,
    crash,
  }
}

export const proof: Proof = {
  shows: 'no fault of an upstream costs the callers of another one anything, leaves anything behind or is repeated',
  async run() {
    const stage = await setStage()
    try {
      const faults = await runFaults(stage)
      tellFaults(faults)
      const breaker = await opensAndCloses(stage)
      console.log(`breaker: ${JSON.stringify(breaker)}`)
      const loss = await losesEndpoint(stage)
      console.log(`endpoint lost under load: ${JSON.stringify(loss)}`)
      const crash = await crashes(stage)
      console.log(`stdio servers that crash, and a gateway that is killed: ${JSON.stringify(crash)}`)
      return judge({ faults, breaker, loss, crash })
    } finally {
      await stage.end()
    }
  },
}
