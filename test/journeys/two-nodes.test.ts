import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '#platform/config'
import { request } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { startCastellan } from '../../src/compose.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { freshPostgres } from '../world/databases.ts'
import { temporaryFolder } from '../world/folder.ts'
import { callTool, initialize } from '../world/messages.ts'
import { freePorts } from '../world/program.ts'

interface Told {
  readonly error?: { readonly data: { readonly code: string } }
  readonly result?: unknown
}

/** A second node on the database of the first, with the same root key and a ledger of its own. */
async function joinNode(database: string, firstDataDir: string, publicUrl: string): Promise<string> {
  const dataDir = temporaryFolder()
  copyFileSync(join(firstDataDir, 'root-key'), join(dataDir, 'root-key'))
  const [gateway, admin] = await freePorts(2)
  const env = {
    CASTELLAN_DATA_DIR: dataDir,
    CASTELLAN_GATEWAY__PORT: String(gateway),
    CASTELLAN_GATEWAY__PUBLIC_URL: publicUrl,
    CASTELLAN_ADMIN__PORT: String(admin),
    CASTELLAN_DATABASE__URL: database,
  }
  const node = await startCastellan(loadConfig({ env, cwd: dataDir, home: dataDir }), { logTo: () => undefined })
  onTestFinished(() => node.stop())
  return `http://localhost:${gateway}`
}

test('what is changed on one node holds on the other within a second: session, hold, revocation, open streams', async () => {
  const database = await freshPostgres()
  const world = await startWorld({ env: { CASTELLAN_DATABASE__URL: database } })
  const ben = await world.join('ben', [reader])
  const token = await ben.mint('books')
  const other = await joinNode(database, world.dataDir, world.gatewayUrl)
  const started = await world.post({ token, message: initialize })
  const session = started.headers.get('mcp-session-id') ?? ''
  const onOther = async (name: string): Promise<{ status: number; told: Told }> => {
    const response = await request(`${other}/servers/books/mcp`, {
      method: 'POST',
      headers: {
        host: new URL(world.gatewayUrl).host,
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': session,
      },
      body: JSON.stringify(callTool(name)),
    })
    const text = await response.body.text()
    const json = text.startsWith('{') ? text : (text.match(/^data: (\{.*"id".*)$/m)?.[1] ?? '{}')
    return { status: response.statusCode, told: JSON.parse(json) as Told }
  }
  expect((await onOther('echo')).told.result).toBeDefined()

  const running = onOther('drip')
  while (world.books.openStreams() === 0) await sleep(10)
  const placed = await world.ana.api('POST', '/holds', { kind: 'tool', subject: 'books/drip', reason: 'incident' })
  const heldAt = Date.now()
  expect((await running).told.error?.data.code).toBe('gateway.held')
  expect(Date.now() - heldAt).toBeLessThan(1_000)
  expect((await onOther('drip')).status).toBe(403)
  await world.ana.api('DELETE', `/holds/${String(placed.body['id'])}`)

  const { body } = await ben.api('GET', '/tokens')
  for (const { id } of body['items'] as { id: string }[]) await ben.api('DELETE', `/tokens/${id}`)
  const revokedAt = Date.now()
  while ((await onOther('echo')).status !== 401) await sleep(10)
  expect(Date.now() - revokedAt).toBeLessThan(1_000)
})
