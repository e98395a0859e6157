import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { createProgress } from '../terminal/progress.ts'

/**
 * Checks every entry of the ledger in the data folder, beside a running server or without one.
 * @throws CliFailure `audit.does-not-hold` (exit code 8) that names the first bad entry
 */
export async function verifyFolder(invocation: Invocation): Promise<void> {
  const { output, terminal } = invocation
  const { dataDir } = (await invocation.loadConfig()).config
  const { verifyLedger } = await import('#audit')
  const progress = createProgress(output, terminal, { verb: 'Verifying', unit: 'entries' })
  const result = await verifyLedger({ folder: dataDir, onProgress: progress.update })
  progress.end()
  if (result.holds) {
    output.result(result, () => {
      output.line(
        { text: 'the ledger holds', tone: 'good' },
        `: ${result.size} entries, none changed, missing or reordered`,
      )
      output.facts([
        ['root', result.root],
        ['folder', dataDir],
      ])
    })
    return
  }
  // WHY: a script that asked for JSON reads the whole finding on stdout, the reason for the exit code on stderr.
  if (output.isJson) output.result(result, () => undefined)
  const problem = result.firstProblem
  const where = problem === undefined ? '' : `: entry ${problem.seq} ${problem.kind}: ${problem.says}`
  const hint = 'keep the data folder as it is, copy it, and compare entries from there on with `castellan audit show`'
  throw new CliFailure('verification', 'audit.does-not-hold', `the ledger does not hold${where}`, hint)
}
