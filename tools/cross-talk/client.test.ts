import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { createRandom } from '../fuzz/random.ts'
import { Client } from './client.ts'
import { createFindings } from './findings.ts'
import type { Lane } from './lanes.ts'

const lane: Lane = { name: 'lane', era: 'modern', path: '/', prefix: '', memory: 'none', hasTasks: false }

/** What a client finds wrong with an answer of this text. */
async function problemsOf(text: string, type = 'application/json'): Promise<readonly string[]> {
  const server = createServer((_request, response) => response.writeHead(200, { 'content-type': type }).end(text))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(async () => {
    await pool.destroy()
    server.close()
  })
  const findings = createFindings()
  const client = new Client({ pool, lane, token: 't', person: 3, number: 7, findings, random: createRandom(1) })
  client.nextMark()
  await client.ask({ method: 'tools/call', params: { name: 'echo' } })
  return findings.counts.problems
}

const answer = (id: number, text: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } })

test('the right answer is no problem', async () => {
  expect(await problemsOf(answer(1, 'mark-3-7-1'))).toEqual([])
})

test('a mark of another person, of another client or of an older call is found', async () => {
  for (const mark of ['mark-4-7-1', 'mark-3-8-1', 'mark-3-7-0']) {
    expect(await problemsOf(answer(1, mark))).toEqual([expect.stringContaining(`was told ${mark}`)])
  }
})

test('an answer to another request is found', async () => {
  expect(await problemsOf(answer(2, 'mark-3-7-1'))).toEqual(['lane: an answer to another request'])
})

test('a mark and a token of somebody else are found in a notification of a stream', async () => {
  const params = { progressToken: 2, progress: 1, message: 'mark-9-9-9' }
  const said = { jsonrpc: '2.0', method: 'notifications/progress', params }
  const stream = `data: ${JSON.stringify(said)}\n\ndata: ${answer(1, 'mark-3-7-1')}\n\n`
  const problems = await problemsOf(stream, 'text/event-stream')
  expect(problems).toHaveLength(2)
  expect(problems.join()).toContain('mark-9-9-9')
  expect(problems.join()).toContain('progress of another request')
})
