import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ProofVerdict } from '#audit'
import { adminApi } from '../remote/api.ts'
import { readCount } from '../duration.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'

export interface Kept {
  /** Where to write it; to stdout without. */
  readonly out?: string
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new CliFailure('usage', 'cli.unreadable-file', `\`${path}\` cannot be read`, 'name a file that is there')
  }
}

/** Writes a text where it was asked for, never over another. */
export function keep({ output }: Invocation, { out }: Kept, value: object, text: string): void {
  if (out === undefined) {
    output.result(value, () =>
      text
        .trimEnd()
        .split('\n')
        .forEach((line) => output.line(line)),
    )
    return
  }
  try {
    writeFileSync(out, text, { flag: 'wx' })
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    const says = isThere ? `\`${out}\` is there already` : `\`${out}\` cannot be written`
    throw new CliFailure('usage', 'cli.unwritable-file', says, 'name another file with --out')
  }
  output.result({ ...value, out }, () => output.line('written to ', { text: out, tone: 'strong' }))
}

/** The newest signed head, to be kept where nobody who can change the ledger can change it too. */
export async function showCheckpoint(invocation: Invocation, options: Kept): Promise<void> {
  const found = await adminApi(await invocation.signedIn()).audit.checkpoint()
  keep(invocation, options, found, found.checkpoint)
}

/** What shows to anybody, without a server, that an entry is in the ledger. */
export async function proveEntry(invocation: Invocation, text: string, options: Kept): Promise<void> {
  const seq = readCount(text, { name: 'the number of an entry', min: 1, max: Number.MAX_SAFE_INTEGER - 1 })
  const { proof } = await adminApi(await invocation.signedIn()).audit.proof(seq)
  keep(invocation, options, { seq, proof }, proof)
}

/** Entries of a checkpoint, by its second line. SPEC: C2SP tlog-checkpoint. */
function sizeOf(path: string): number {
  const size = /^[^\n]+\n(0|[1-9]\d{0,15})\n/.exec(read(path))?.[1]
  if (size !== undefined) return Number(size)
  const hint = 'give what `castellan audit checkpoint --out <file>` wrote'
  throw new CliFailure('usage', 'cli.no-checkpoint', `\`${path}\` is no checkpoint`, hint)
}

/** What shows that the ledger begins with what it was when the checkpoint was kept. */
export async function proveGrowth(invocation: Invocation, path: string, options: Kept): Promise<void> {
  const from = sizeOf(path)
  const { proof } = await adminApi(await invocation.signedIn()).audit.consistency(from)
  keep(invocation, options, { from, proof }, proof)
}

export interface AskedCheck {
  readonly proof: string
  readonly older?: string
  readonly publicKey?: string
}

async function publicKeyOf(invocation: Invocation, path: string | undefined): Promise<string> {
  if (path !== undefined) return read(path)
  const own = join((await invocation.loadConfig()).config.dataDir, 'ledger-key.pub')
  if (existsSync(own)) return read(own)
  const hint = 'give the copy of `ledger-key.pub` that you keep elsewhere with --public-key'
  throw new CliFailure('usage', 'cli.public-key', 'there is no public key to check the proof with', hint)
}

function show({ output }: Invocation, verdict: ProofVerdict & { readonly holds: true }): void {
  const { size, time, entry, from } = verdict
  const head = `the ledger of ${size} entries that was signed at ${time}`
  output.result(verdict, () => {
    output.line(
      { text: 'the proof holds', tone: 'good' },
      entry === undefined ? `: ${head} begins with its first ${from}` : `: entry ${entry.seq} is in ${head}`,
    )
    if (entry !== undefined) for (const line of JSON.stringify(entry, null, 2).split('\n')) output.line('  ', line)
  })
}

/** Checks a proof without a server. @throws CliFailure `audit.does-not-hold` (exit code 8) */
export async function checkProof(invocation: Invocation, asked: AskedCheck): Promise<void> {
  const publicKey = await publicKeyOf(invocation, asked.publicKey)
  const { verifyProof } = await import('#audit')
  const older = asked.older === undefined ? undefined : read(asked.older)
  const verdict = verifyProof({ proof: read(asked.proof), publicKey, older })
  if (verdict.holds) return show(invocation, verdict)
  const hint = 'ask for another proof; if that does not hold either, run `castellan audit verify` on the data folder'
  throw new CliFailure('verification', 'audit.does-not-hold', `the proof does not hold: ${verdict.says}`, hint)
}
