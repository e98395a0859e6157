/**
 * Someone kills the gateway while calls are with their server, and again while it comes back, hoping for calls that were
 * made and of which the record never says that they ended, or says it twice, or says that nothing happened.
 */
import { fileURLToPath } from 'node:url'
import { verifyLedger } from '#audit'
import { expect, onTestFinished } from 'vitest'
import { proves } from '../proves.ts'
import type { LedgerEntry } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { type Program, startProgram } from '../world/program.ts'
import { runCastellan, type RunningCastellan } from '../world/running-castellan.ts'
import { startRecordingUpstream } from '../world/servers/recording-upstream.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))

async function startAgain({ env }: RunningCastellan): Promise<Program> {
  const program = startProgram(process.execPath, [launcher, 'up'], { env })
  onTestFinished(async () => void (await program.stop()))
  await program.waitFor(/^\{.*"event":"ready".*\}$/m)
  return program
}

async function kill(program: Program): Promise<void> {
  process.kill(program.pid, 'SIGKILL')
  await program.ended
}

async function read({ ana }: RunningCastellan, event: string): Promise<LedgerEntry[]> {
  const { status, body } = await ana.api('GET', `/audit?limit=1000&event=${event}`)
  expect(status).toBe(200)
  return body['items'] as LedgerEntry[]
}

function post({ gatewayUrl }: RunningCastellan, token: string, message: unknown): Promise<number | undefined> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  }
  const sent = fetch(`${gatewayUrl}/servers/books/mcp`, { method: 'POST', headers, body: JSON.stringify(message) })
  return sent.then(
    async (answer) => (await answer.text(), answer.status),
    () => undefined,
  )
}

proves(
  ['LED-6', 'LED-1'],
  'killed again and again, it closes every call that was under way as unknown, once, and no other',
  async () => {
    const castellan = await runCastellan()
    onTestFinished(() => castellan.end())
    const books = await startRecordingUpstream()
    const token = await castellan.addUpstream('books', books.url)
    const arrived = () => books.calls('tools/call').length
    let { program }: { program: Program } = castellan
    const [lives, held] = [3, 8]
    for (let life = 1; life <= lives; life++) {
      const id = (n: number) => `${life}-${n}`
      for (let n = 0; n < 4; n++) expect(await post(castellan, token, callTool('echo', id(n), id(n)))).toBe(200)
      const before = arrived()
      const pending = Array.from({ length: held }, (_, n) => post(castellan, token, callTool('slow', id(n), id(n))))
      await expect.poll(arrived, { timeout: 10_000 }).toBe(before + held)
      await kill(program)
      expect(await Promise.all(pending)).toEqual(Array.from({ length: held }, () => undefined))
      expect(await verifyLedger({ folder: castellan.dataDir })).toMatchObject({ holds: true })
      if (life === 2) await kill(await startAgain(castellan))
      program = await startAgain(castellan)
      await expect.poll(() => read(castellan, 'call.interrupted'), { timeout: 10_000 }).toHaveLength(life * held)
    }

    expect(arrived()).toBe(lives * (4 + held))
    const [intents, ends, interrupted] = await Promise.all(
      ['call.intended', 'call.completed', 'call.interrupted'].map((event) => read(castellan, event)),
    )
    const openings = await read(castellan, 'ledger.opened')
    expect(openings.map(({ details }) => details?.['after'])).toEqual(['nothing', ...Array<string>(4).fill('crash')])
    const closed = new Map(interrupted?.map((entry) => [entry.details?.['intent'], entry]))
    expect(closed.size).toBe(lives * held)
    const calls = intents?.filter(({ target }) => target?.kind === 'tool') ?? []
    expect(calls).toHaveLength(lives * (4 + held))
    for (const { seq, exchange, principal, target } of calls) {
      const isSlow = target?.name === 'slow'
      expect(ends?.filter(({ details }) => details?.['intent'] === seq)).toHaveLength(isSlow ? 0 : 1)
      if (isSlow) expect(closed.get(seq)).toMatchObject({ outcome: 'unknown', exchange, principal, target })
    }
    expect(await verifyLedger({ folder: castellan.dataDir })).toMatchObject({ holds: true })
  },
  120_000,
)
