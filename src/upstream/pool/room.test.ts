import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '#platform/database'
import type { UpstreamSettings } from '#upstream'
import { expect, onTestFinished, test } from 'vitest'
import { freshSqlite } from '../../../test/world/databases.ts'
import { ModernClient } from '../../../test/world/servers/modern-client.ts'
import { UpstreamCaller } from '../../../test/world/servers/upstream-caller.ts'
import { addUpstream, openUpstreams } from '../../../test/world/servers/upstreams.ts'

type Json = Record<string, unknown>

/** A child of old: `ask` wants to know something before it answers, `wait` never answers, all else tells which process it is. */
const program = `
const send = (m) => console.log(JSON.stringify({ jsonrpc: '2.0', ...m }))
let asking
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const m = JSON.parse(line)
  const told = { id: m.id, result: { content: [{ type: 'text', text: String(process.pid) }] } }
  const capabilities = { tools: {} }
  if (m.method === 'initialize') return send({ id: m.id, result: { protocolVersion: '2025-11-25', capabilities, serverInfo: {} } })
  if (m.method === 'server/discover') return send({ id: m.id, error: { code: -32601, message: 'no' } })
  if (m.method === undefined) return send({ id: asking, result: told.result })
  if (m.id === undefined || m.params?.name === 'wait') return
  if (m.params?.name !== 'ask') return send(told)
  asking = m.id
  const params = { mode: 'form', message: 'Sure?', requestedSchema: { type: 'object', properties: {} } }
  send({ id: 'q', method: 'elicitation/create', params })
})`

async function behind(limits: NonNullable<UpstreamSettings['limits']>) {
  const database = await openDatabase({ url: await freshSqlite() })
  onTestFinished(() => database.close())
  const world = await openUpstreams(database, { settings: { limits } })
  const upstream = await addUpstream(world, 'old', { command: [process.execPath, '-e', program] })
  const { exchange } = world.upstreams
  const modern = (capabilities: Json = {}, ownerId = 'ada') =>
    new ModernClient({ exchange, upstream, capabilities, ownerId })
  const legacy = async (ownerId = 'ada') => {
    const caller = new UpstreamCaller({ exchange, upstream, ownerId })
    return { caller, opened: await caller.open() }
  }
  const mayAsk = (ownerId = 'ada') => modern({ elicitation: { form: {} } }, ownerId)
  const park = async (ownerId = 'ada') => (await mayAsk(ownerId).call('ask')).result ?? {}
  const goOn = async (parked: Json, ownerId = 'ada') => {
    const [key = ''] = Object.keys(parked['inputRequests'] as Json)
    const inputResponses = { [key]: { action: 'accept', content: {} } }
    return mayAsk(ownerId).call('ask', {}, { requestState: parked['requestState'], inputResponses })
  }
  return { ...world, upstream, exchange, modern, legacy, park, goOn, mayAsk }
}

const isBusy = { status: 503, hopProblem: 'overloaded' }
const isDone = { status: 200, result: { resultType: 'complete' } }
const pidOf = ({ result }: { result: Json | undefined }): string | undefined =>
  (result?.['content'] as { text?: string }[] | undefined)?.[0]?.text

test('at the bound a session that no client holds makes way before one that a client does, and is opened again unnoticed', async () => {
  const { modern, legacy, park, goOn } = await behind({ maxChildrenPerOwner: 3 })
  const { caller: first } = await legacy()
  const parked = await park()
  const before = await modern().call('echo')
  expect(before).toMatchObject(isDone)
  await sleep(5)
  const { caller: second, opened } = await legacy()
  expect(opened.sessionId).toBeDefined()
  expect((await first.ask('echo')).status).toBe(200)
  await sleep(5)
  expect((await second.ask('echo')).status).toBe(200)

  const after = await modern().call('echo')
  expect(after).toMatchObject(isDone)
  expect(pidOf(after)).not.toBe(pidOf(before))
  expect((await first.ask('echo')).status).toBe(404)
  expect((await second.ask('echo')).status).toBe(200)
  expect(await goOn(parked)).toMatchObject(isDone)
})

test('as many questions as children are allowed wait; one more of anything is refused, and every answer arrives', async () => {
  const { modern, mayAsk, legacy, park, goOn } = await behind({ maxChildrenPerOwner: 2 })
  const parked = [await park(), await park()]
  expect(parked.map((result) => result['resultType'])).toEqual(['input_required', 'input_required'])
  expect(await mayAsk().call('ask')).toMatchObject(isBusy)
  expect(await modern().call('echo')).toMatchObject(isBusy)
  expect((await legacy()).opened).toMatchObject({ status: 503, sessionId: undefined })
  expect(await modern({}, 'ben').call('echo')).toMatchObject(isDone)
  for (const result of parked) expect(await goOn(result)).toMatchObject(isDone)
  expect(await mayAsk().call('echo')).toMatchObject(isDone)
  expect((await legacy()).opened.sessionId).toBeDefined()
})

test('what no client holds makes way for any owner; what another owner would miss never does', async () => {
  const { modern, legacy, park, goOn } = await behind({ maxChildren: 3 })
  const { caller: bens } = await legacy('ben')
  const parked = await park('cleo')
  expect(await modern({}, 'dora').call('echo')).toMatchObject(isDone)
  expect(await modern({}, 'ada').call('echo')).toMatchObject(isDone)
  const { caller: adas, opened } = await legacy('ada')
  expect(opened.sessionId).toBeDefined()
  expect(await modern({}, 'dora').call('echo')).toMatchObject(isBusy)
  expect((await legacy('eve')).opened).toMatchObject({ status: 503 })
  expect([(await bens.ask('echo')).status, (await adas.ask('echo')).status]).toEqual([200, 200])
  expect(await goOn(parked, 'cleo')).toMatchObject(isDone)
  expect(await modern({}, 'dora').call('echo')).toMatchObject(isDone)
})

test('an owner at the own bound ends nothing of others', async () => {
  const { modern, legacy } = await behind({ maxChildrenPerOwner: 1 })
  const bens = await modern({}, 'ben').call('echo')
  const { caller } = await legacy('ada')
  const waiting = caller.start('tools/call', { name: 'wait' }).catch(() => undefined)
  expect(await modern({}, 'ada').call('echo')).toMatchObject(isBusy)
  expect(pidOf(await modern({}, 'ben').call('echo'))).toBe(pidOf(bens))
  await caller.end()
  await waiting
})

test('sessions asked for at once do not pass the bound together', async () => {
  const { legacy } = await behind({ maxChildrenPerOwner: 2 })
  const opened = await Promise.all(Array.from({ length: 6 }, () => legacy()))
  const statuses = opened.map(({ opened: { status } }) => status).toSorted()
  expect(statuses).toEqual([200, 200, 503, 503, 503, 503])
})
