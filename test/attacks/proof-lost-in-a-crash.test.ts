/**
 * Ben proved a factor for one call. The gateway is killed after it used the proof up, and before the call is on record.
 * Whoever pulls the plug at that moment hopes that the proof is still there, for the same call once more.
 */
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { proves } from '../proves.ts'
import { oneTimeCode } from '../world/one-time-code.ts'
import type { LedgerEntry } from '../world/castellan.ts'
import { createPageClient } from '../world/pages/page-client.ts'
import type { Answer } from '../world/people.ts'
import { startProgram } from '../world/program.ts'
import { runCastellan, type RunningCastellan } from '../world/running-castellan.ts'
import { startRecordingUpstream } from '../world/servers/recording-upstream.ts'
import { linkIn, pay, payer, prove } from '../world/step-up/payments.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))

async function post({ gatewayUrl }: RunningCastellan, token: string): Promise<Pick<Answer, 'body'>> {
  const accept = 'application/json, text/event-stream'
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept }
  const sent = { method: 'POST', headers, body: JSON.stringify(pay(10)) }
  const answer = await fetch(`${gatewayUrl}/servers/books/mcp`, sent)
  return { body: (await answer.json()) as Record<string, unknown> }
}

proves(
  'STU-1',
  'a proof is used up before its call goes on: what was killed in between never arrives, and is asked for again',
  async () => {
    const castellan = await runCastellan()
    onTestFinished(() => castellan.end())
    const { ana, program } = castellan
    const books = await startRecordingUpstream()
    await castellan.addUpstream('books', books.url)
    expect((await ana.api('PUT', '/roles/payer', payer)).status).toBe(200)
    const ben = await castellan.join('ben', ['payer'])
    const browser = createPageClient(castellan.gatewayUrl)
    await browser.signIn(ben)
    const token = await ben.mint('books')
    const path = linkIn(await post(castellan, token))
    const database = new DatabaseSync(join(castellan.dataDir, 'castellan.db'), { timeout: 5_000 })
    onTestFinished(() => database.close())
    // WHY: no test moves the clock of a process, and a code counts once.
    database.exec('update second_factors set last_step = null')
    const code = oneTimeCode(ben.secret, Date.now())
    expect(await prove(browser, { ...ben, nextCode: () => code }, path)).toBe('Proved')

    const ledger = new DatabaseSync(join(castellan.dataDir, 'ledger.db'), { timeout: 5_000 })
    ledger.exec('BEGIN IMMEDIATE')
    const answered = post(castellan, token).catch(() => undefined)
    const id = path.slice('/step-up/'.length)
    const state = () => database.prepare('select state from step_ups where id = ?').get(id)?.['state']
    await expect.poll(state, { timeout: 10_000, interval: 5 }).toBe('used')
    process.kill(program.pid, 'SIGKILL')
    await program.ended
    expect((await answered)?.body ?? {}).not.toHaveProperty('result')
    ledger.exec('ROLLBACK')
    ledger.close()
    expect(state()).toBe('used')

    const again = startProgram(process.execPath, [launcher, 'up'], { env: castellan.env })
    onTestFinished(async () => void (await again.stop()))
    await again.waitFor(/^\{.*"event":"ready".*\}$/m)
    const asked = await post(castellan, token)
    expect(asked).toMatchObject({ body: { error: { data: { code: 'gateway.step-up-needed' } } } })
    expect(linkIn(asked)).not.toBe('')
    expect(linkIn(asked)).not.toBe(path)
    expect(books.calls('tools/call')).toEqual([])
    const { body } = await ana.api('GET', '/audit?limit=500')
    const entries = (body['items'] as LedgerEntry[]).filter(({ details }) => details?.['stepUp'] !== undefined)
    expect(entries.map(({ event, details }) => [event, details?.['stepUp']])).toEqual([
      ['call.refused', id],
      ['step-up.proved', id],
      ['call.refused', linkIn(asked).slice('/step-up/'.length)],
    ])
  },
  120_000,
)
