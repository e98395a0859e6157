/**
 * Mallory pulls the plug, or puts the ledger's files back as they were before a call, or lets the disk rot, and starts the
 * gateway again: it shall go on as if nothing had happened, over a record from which that call is gone.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifyLedger } from '#audit'
import { loadConfig } from '#platform/config'
import { expect, onTestFinished } from 'vitest'
import { startCastellan } from '../../src/compose.ts'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { temporaryFolder } from '../world/folder.ts'
import { openTestLedger } from '../world/ledger.ts'
import { callTool } from '../world/messages.ts'
import { freePorts } from '../world/program.ts'
import { openDataFolder } from '#platform/files'

/** The folder as it is at this moment, as a crash would leave it. */
function copyOf(dataDir: string): string {
  const folder = join(temporaryFolder(), 'copy')
  cpSync(dataDir, folder, { recursive: true, filter: (path) => !path.includes('upstreams') })
  rmSync(join(folder, 'ledger.db-shm'), { force: true })
  return folder
}

async function startOn(folder: string): Promise<void> {
  const [gateway, admin] = (await freePorts(2)).map(String)
  const env = {
    CASTELLAN_DEMO: 'false',
    CASTELLAN_DATA_DIR: folder,
    CASTELLAN_DATABASE__URL: `sqlite:${folder}/castellan.db`,
    CASTELLAN_GATEWAY__PORT: gateway,
    CASTELLAN_ADMIN__PORT: admin,
  }
  const started = await startCastellan(loadConfig({ env, cwd: folder, home: folder }), { logTo: () => undefined })
  await started.stop()
}

function change(folder: string, name: string, to: (bytes: Buffer) => Buffer): void {
  writeFileSync(join(folder, name), to(readFileSync(join(folder, name))))
}

function flip(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 4
  return bytes
}

proves(
  ['LED-7', 'LED-5'],
  'over a record that was cut back, put back or has rotted at its end it does not start; a torn end is cut and told',
  async () => {
    const world = await startWorld()
    const token = await world.ana.mint('books')
    await world.post({ token, message: callTool('echo', 'one') })
    const earlier = copyOf(world.dataDir)
    await world.post({ token, message: callTool('echo', 'two') })
    await expect.poll(() => world.ledger('&event=call.completed')).toHaveLength(2)
    const later = copyOf(world.dataDir)
    await world.stop()
    expect(world.books.calls('tools/call')).toHaveLength(2)

    const [head, log] = ['ledger.head', 'ledger.db-wal'].map((name) => readFileSync(join(earlier, name)))
    const { dataDir } = world
    const attacks: [string, string, (folder: string) => void][] = [
      ['cuts the end', later, (copy) => change(copy, 'ledger.db-wal', (bytes) => bytes.subarray(0, bytes.length - 10))],
      ['lets the end rot', later, (copy) => change(copy, 'ledger.db-wal', (bytes) => flip(bytes, bytes.length - 4000))],
      ['puts the log back', later, (copy) => writeFileSync(join(copy, 'ledger.db-wal'), log ?? '')],
      ['takes the log away', later, (copy) => rmSync(join(copy, 'ledger.db-wal'))],
      ['takes the head away', later, (copy) => rmSync(join(copy, 'ledger.head'))],
      ['puts the file back', dataDir, (copy) => cpSync(join(earlier, 'ledger.db'), join(copy, 'ledger.db'))],
      [
        'lets the file rot',
        dataDir,
        (copy) => change(copy, 'ledger.db', (bytes) => flip(bytes, bytes.lastIndexOf('ledger.closed'))),
      ],
    ]
    for (const [name, state, attack] of attacks) {
      const folder = copyOf(state)
      attack(folder)
      await expect(startOn(folder), name).rejects.toMatchObject({ name: 'Misuse', code: 'audit.ledger-damaged' })
      expect((await verifyLedger({ folder })).holds, name).toBe(false)
    }

    const torn = copyOf(later)
    change(torn, 'ledger.db-wal', (bytes) => bytes.subarray(0, bytes.length - 10))
    writeFileSync(join(torn, 'ledger.head'), head ?? '')
    await startOn(torn)
    expect(await verifyLedger({ folder: torn })).toMatchObject({ holds: true })
    const { ledger } = await openTestLedger(openDataFolder(torn))
    onTestFinished(() => ledger.close())
    const openings = await ledger.read({ event: 'ledger.opened' })
    expect(openings[1]?.details).toMatchObject({ after: 'crash', cutBytes: expect.any(Number) })
    const [intent] = await ledger.read({ event: 'call.intended', after: 0, limit: 1 })
    expect(intent).toMatchObject({ details: { parameters: { arguments: { text: 'one' } } } })
    expect(world.books.calls('tools/call')).toHaveLength(2)
  },
  60_000,
)
