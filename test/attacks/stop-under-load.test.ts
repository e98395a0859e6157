/**
 * Someone has the gateway stopped at the worst moment: a hundred calls are with their servers, and clients go on sending
 * calls on connections that are about to end. They hope for a call that was made and never answered, or not on record.
 */
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyLedger } from '#audit'
import { expect, onTestFinished } from 'vitest'
import { proves } from '../proves.ts'
import { callTool } from '../world/messages.ts'
import { runCastellan, type RunningCastellan } from '../world/running-castellan.ts'
import { type RecordingUpstream, startRecordingUpstream } from '../world/servers/recording-upstream.ts'

interface Caller {
  readonly url: string
  readonly token: string
  readonly books: RecordingUpstream
}

/** One call on a connection that is kept alive. @returns the status, or why there was none */
function call({ url, token }: Caller, agent: Agent, message: Record<string, unknown>): Promise<number | string> {
  return new Promise((resolve) => {
    const sent = request(url, {
      method: 'POST',
      agent,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
    })
    sent.once('response', (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
      response.once('error', (error) => resolve(String(error)))
    })
    sent.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? String(error)))
    sent.end(JSON.stringify(message))
  })
}

async function addCaller(castellan: RunningCastellan, name: string): Promise<Caller> {
  const books = await startRecordingUpstream()
  const token = await castellan.addUpstream(name, books.url)
  return { url: `${castellan.gatewayUrl}/servers/${name}/mcp`, token, books }
}

/** The texts of the calls of a tool that an upstream saw. */
function seenBy({ books }: Caller, tool: string): string[] {
  return books
    .calls('tools/call')
    .map(({ message }) => message?.params as { name: string; arguments: { text: string } })
    .filter(({ name }) => name === tool)
    .map(({ arguments: { text } }) => text)
}

/** Calls one after the other until there is nobody left to call. @returns the texts of those that were answered */
async function callOn(caller: Caller, agent: Agent, name: string): Promise<string[]> {
  const answered: string[] = []
  for (let count = 0; ; count++) {
    const text = `${name}-${count}`
    const status = await call(caller, agent, callTool('echo', text, text))
    if (status === 200) answered.push(text)
    else return answered
  }
}

function countOf(dataDir: string, event: string): number {
  const file = new DatabaseSync(join(dataDir, 'ledger.db'), { readOnly: true })
  const row = file.prepare(`select count(*) as n from entries where body like '%"${event}"%'`).get()
  file.close()
  return Number(row?.['n'])
}

async function stopUnderLoad(): Promise<void> {
  const castellan = await runCastellan()
  onTestFinished(() => castellan.end())
  const agent = new Agent({ keepAlive: true, maxSockets: 200 })
  onTestFinished(() => agent.destroy())
  const callers = await Promise.all(['one', 'two', 'three', 'four'].map((name) => addCaller(castellan, name)))
  const slow = callers.flatMap((caller) =>
    Array.from({ length: 25 }, (_, at) => call(caller, agent, callTool('slow', `slow-${at}`, `slow-${at}`))),
  )
  await expect.poll(() => callers.flatMap((each) => seenBy(each, 'slow')).length, { timeout: 10_000 }).toBe(100)
  const racing = callers.flatMap((caller, at) => [0, 1, 2].map((name) => callOn(caller, agent, `${at}-${name}`)))
  await expect.poll(() => callers.flatMap((each) => seenBy(each, 'echo')).length).toBeGreaterThan(50)

  process.kill(castellan.program.pid, 'SIGTERM')
  const answered = (await Promise.all(racing)).flat()
  await sleep(500)
  for (const { books } of callers) books.finishSlow('done')
  expect(await Promise.all(slow)).toEqual(Array.from({ length: 100 }, () => 200))
  expect(await castellan.program.ended).toBe(0)

  expect(callers.flatMap((each) => seenBy(each, 'echo')).toSorted()).toEqual(answered.toSorted())
  const calls = answered.length + 100
  const { dataDir } = castellan
  expect([countOf(dataDir, 'call.intended'), countOf(dataDir, 'call.completed')]).toEqual([calls, calls])
  expect(await verifyLedger({ folder: dataDir })).toMatchObject({ holds: true })
}

proves('DRN-1', 'a stop under load answers every call that was made, and has it on record', stopUnderLoad, 60_000)
