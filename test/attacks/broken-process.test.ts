/**
 * Somebody finds an input that throws where nothing catches. A process that goes on after that decides in a state that
 * nobody has thought of; one that ends without a word leaves no trace of what it was given.
 */
import { expect, onTestFinished } from 'vitest'
import { verifyLedger } from '#audit'
import { openDataFolder } from '#platform/files'
import { createLedger } from '#audit'
import { systemClock } from '#kernel'
import { proves } from '../proves.ts'
import { callTool } from '../world/messages.ts'
import { runCastellan } from '../world/running-castellan.ts'
import { startRecordingUpstream } from '../world/servers/recording-upstream.ts'

/** Run in the process before castellan: throws where nothing catches, when it is told to. */
const breaker = `process.on('SIGUSR2', () => setTimeout(() => { throw new Error('out of order, with cst_${'k'.repeat(43)}') }))`

proves(
  'OBS-6',
  'what nothing caught is logged, on record, and ends the process, which can be started again',
  async () => {
    const upstream = await startRecordingUpstream()
    const world = await runCastellan({
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(breaker)}`,
      CASTELLAN_TELEMETRY__LOG_FORMAT: 'json',
    })
    onTestFinished(() => world.end())
    const token = await world.addUpstream('books', upstream.url)
    const answer = await fetch(`${world.gatewayUrl}/servers/books/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${token}`,
      },
      body: JSON.stringify(callTool('echo')),
    })
    expect(answer.status).toBe(200)
    process.kill(world.program.pid, 'SIGUSR2')
    expect(await world.program.ended).toBe(70)
    expect(upstream.calls('tools/call')).toHaveLength(1)

    const lines = world.program.stdout().trim().split('\n')
    const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(said.map((line) => line['event.name'])).toEqual(
      expect.arrayContaining(['castellan.ready', 'castellan.broken']),
    )
    const broken = said.find((line) => line['event.name'] === 'castellan.broken')
    expect(broken).toMatchObject({
      level: 'error',
      kind: 'exception',
      error: { message: 'out of order, with [secret]' },
    })

    expect(await verifyLedger({ folder: world.dataDir })).toMatchObject({ holds: true })
    const dataFolder = openDataFolder(world.dataDir)
    const ledger = await createLedger({ dataFolder, origin: 'castellan', clock: systemClock })
    onTestFinished(() => ledger.close())
    const [entry] = await ledger.read({ event: 'castellan.broken' })
    expect(entry).toMatchObject({ outcome: 'failed', exchange: broken?.['request_id'] })
    expect(JSON.stringify(entry)).not.toContain('kkkk')
  },
  60_000,
)
