import { existsSync, readFileSync } from 'node:fs'
import type { LedgerProblem } from '#audit'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { createProgress } from '../terminal/progress.ts'

function readPublicKey(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    const hint = 'give the copy of `ledger-key.pub` that you keep elsewhere'
    throw new CliFailure('usage', 'cli.public-key', `the public key \`${path}\` cannot be read`, hint)
  }
}

/** Names the entry, or the smallest range that is proved wrong. */
function showProblem({ kind, seq, lastSeq, says }: LedgerProblem): string {
  if (seq === 0 || says.includes(String(seq))) return `${kind}: ${says}`
  return `${lastSeq === seq ? `entry ${seq}` : `entries ${seq} to ${lastSeq}`} ${kind}: ${says}`
}

/**
 * Checks every entry of the ledger in the data folder, beside a running server or without one.
 * @throws CliFailure `audit.does-not-hold` (exit code 8) that names the first bad entry
 */
export async function verifyFolder(invocation: Invocation, options: { publicKey?: string }): Promise<void> {
  const { output, terminal } = invocation
  const { dataDir } = (await invocation.loadConfig()).config
  if (!existsSync(dataDir)) {
    const hint = 'name the data folder with --data-dir'
    throw new CliFailure('notFound', 'cli.no-data-folder', `there is no folder \`${dataDir}\``, hint)
  }
  const publicKey = options.publicKey === undefined ? {} : { publicKey: readPublicKey(options.publicKey) }
  const { verifyLedger } = await import('#audit')
  const progress = createProgress(output, terminal, { verb: 'Verifying', unit: 'entries' })
  const result = await verifyLedger({ folder: dataDir, ...publicKey, onProgress: progress.update })
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
  const where = result.firstProblem === undefined ? '' : `: ${showProblem(result.firstProblem)}`
  const hint = 'keep the data folder as it is, copy it, and compare entries from there on with `castellan audit show`'
  throw new CliFailure('verification', 'audit.does-not-hold', `the ledger does not hold${where}`, hint)
}
