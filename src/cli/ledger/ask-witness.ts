import { readFileSync } from 'node:fs'
import { adminApi } from '../remote/api.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { keep, type Kept } from './prove-entries.ts'

export interface AskedWitness extends Kept {
  readonly witnessKey: string
}

interface Answered {
  readonly status: number
  readonly body: string
}

const timeoutMs = 15_000
const mostBytes = 64 * 1024

async function submit(url: string, body: string): Promise<Answered> {
  const { request } = await import('undici')
  try {
    const asked = { method: 'POST', body, headersTimeout: timeoutMs, bodyTimeout: timeoutMs } as const
    const answer = await request(`${url.replace(/\/$/, '')}/add-checkpoint`, asked)
    return { status: answer.statusCode, body: (await answer.body.text()).slice(0, mostBytes) }
  } catch {
    const hint = 'check that `castellan witness` runs there'
    const says = `the witness at \`${url}\` cannot be reached`
    throw new CliFailure('unreachable', 'cli.witness-unreachable', says, hint)
  }
}

function readWitnessKey(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    const hint = 'keep the line that `castellan witness` shows when it starts'
    throw new CliFailure('usage', 'cli.unreadable-file', `\`${path}\` cannot be read`, hint)
  }
}

/** @returns the proof from what the witness has seen last, and its answer */
async function ask(url: string, proofFrom: (size: number) => Promise<string>) {
  const first = await proofFrom(0)
  const answer = await submit(url, first)
  const seen = /^(0|[1-9]\d{0,15})\n$/.exec(answer.body)?.[1]
  if (answer.status !== 409 || seen === undefined || seen === '0') return { proof: first, answer }
  const proof = await proofFrom(Number(seen))
  return { proof, answer: await submit(url, proof) }
}

function refused(url: string, { status, body }: Answered): CliFailure {
  const isFork = status === 422 || status === 409
  if (isFork) {
    const hint = 'keep the data folder as it is, and compare it with the evidence that the witness has kept'
    const says = `the witness has seen another past of this ledger: it answered ${status}`
    return new CliFailure('verification', 'audit.does-not-hold', says, hint)
  }
  const hints: Readonly<Record<number, string>> = {
    403: 'give the witness the public key of this ledger',
    404: 'give the witness the public key of this ledger with `--log`',
  }
  const says = `the witness at \`${url}\` answered ${status}: ${body.trim().slice(0, 200)}`
  return new CliFailure('remote', 'cli.witness-refused', says, hints[status] ?? 'look at what the witness printed')
}

/** Has the newest head cosigned by a witness, which has to find that the ledger only grew. */
export async function askWitness(invocation: Invocation, url: string, asked: AskedWitness): Promise<void> {
  const witnessKey = readWitnessKey(asked.witnessKey)
  const { audit } = adminApi(await invocation.signedIn())
  const proofFrom = async (size: number): Promise<string> => {
    try {
      return (await audit.consistency(size)).proof
    } catch (error) {
      if (!(error instanceof CliFailure) || error.reason !== 'notFound') throw error
      const says = `the witness has seen a ledger of ${size} entries, and this one has fewer: it was taken back`
      const hint = 'keep the data folder as it is, and find out who restored it from what'
      throw new CliFailure('verification', 'audit.does-not-hold', says, hint)
    }
  }
  const { proof, answer } = await ask(url, proofFrom)
  if (answer.status !== 200) throw refused(url, answer)
  const { cosigned } = await import('#audit')
  const checkpoint = cosigned(proof.slice(proof.indexOf('\n\n') + 2), answer.body, witnessKey)
  if (checkpoint === undefined) {
    const hint = 'compare the key with the one that the witness shows when it starts'
    const says = 'the answer is not signed by the key of this witness'
    throw new CliFailure('verification', 'cli.witness-not-signed', says, hint)
  }
  keep(invocation, asked, { checkpoint }, checkpoint)
}
