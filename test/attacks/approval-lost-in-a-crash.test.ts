/**
 * Lea approved one call of Ben's. The gateway is killed after it used the approval up, and before the call is on record.
 * Whoever pulls the plug at that moment hopes that the approval is still there, for the same call once more.
 */
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { proves } from '../proves.ts'
import type { LedgerEntry } from '../world/castellan.ts'
import type { Answer } from '../world/people.ts'
import { startProgram } from '../world/program.ts'
import { runCastellan, type RunningCastellan } from '../world/running-castellan.ts'
import { startRecordingUpstream } from '../world/servers/recording-upstream.ts'
import { decide, needsApproval, publishPolicy, remedyIn } from '../world/step-up/approvals.ts'
import { pay } from '../world/step-up/payments.ts'

const launcher = fileURLToPath(new URL('../../bin/castellan.js', import.meta.url))

async function post({ gatewayUrl }: RunningCastellan, token: string): Promise<Pick<Answer, 'body'>> {
  const accept = 'application/json, text/event-stream'
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept }
  const sent = { method: 'POST', headers, body: JSON.stringify(pay(10)) }
  const answer = await fetch(`${gatewayUrl}/servers/books/mcp`, sent)
  return { body: (await answer.json()) as Record<string, unknown> }
}

proves(
  'APR-1',
  'an approval is used up before its call goes on: what was killed in between never arrives, and is asked for again',
  async () => {
    const castellan = await runCastellan()
    onTestFinished(() => castellan.end())
    const { ana, program } = castellan
    const books = await startRecordingUpstream()
    await castellan.addUpstream('books', books.url)
    const clerk = [{ permissions: ['servers:use', 'tools:call'], resources: ['books', 'books/*'] }]
    expect((await ana.api('PUT', '/roles/clerk', { grants: clerk })).status).toBe(200)
    const lead = [{ permissions: ['approvals:write'], resources: ['castellan'] }]
    expect((await ana.api('PUT', '/roles/lead', { grants: lead })).status).toBe(200)
    await publishPolicy(ana, needsApproval)
    const ben = await castellan.join('ben', ['clerk'])
    const lea = await castellan.join('lea', ['lead'])
    const token = await ben.mint('books')
    const { id } = remedyIn(await post(castellan, token))
    expect((await decide(lea, id)).status).toBe(200)

    const database = new DatabaseSync(join(castellan.dataDir, 'castellan.db'), { timeout: 5_000 })
    onTestFinished(() => database.close())
    const ledger = new DatabaseSync(join(castellan.dataDir, 'ledger.db'), { timeout: 5_000 })
    ledger.exec('BEGIN IMMEDIATE')
    const answered = post(castellan, token).catch(() => undefined)
    const state = () => database.prepare('select state from remedy_asks where id = ?').get(id)?.['state']
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
    expect(asked).toMatchObject({ body: { error: { data: { code: 'gateway.remedy-needed' } } } })
    expect(remedyIn(asked).id).not.toBe(id)
    expect(books.calls('tools/call')).toEqual([])
    const { body } = await ana.api('GET', '/audit?limit=500')
    const entries = (body['items'] as LedgerEntry[]).filter(({ details }) => details?.['remedy'] === id)
    expect(entries.map(({ event }) => event).toSorted()).toEqual(['approval.given', 'call.refused', 'remedy.asked'])
  },
  120_000,
)
