/**
 * Mallory runs the machine. She has the disk and the ledger's key, stops the process, and writes a past in which one call
 * never happened: every entry, head and hash fits, and all of it is signed. Whoever kept one checkpoint, or one proof,
 * notices.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { createLedger, verifyLedger, verifyProof } from '#audit'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { temporaryDataFolder } from '../world/folder.ts'
import { noted } from '../world/ledger.ts'
import { callTool } from '../world/messages.ts'

proves('LED-9', 'a past that was written anew with the key does not fit what was kept elsewhere', async () => {
  const world = await startWorld()
  const token = await world.ana.mint('books')
  await world.post({ token, message: callTool('echo', 'one') })
  const [intent] = await world.ledger('&event=call.intended')
  const seq = intent?.seq ?? 0
  const kept = (await world.ana.api('GET', '/audit/checkpoint')).body as { checkpoint: string; publicKey: string }
  const { proof } = (await world.ana.api('GET', `/audit/proof?seq=${seq}`)).body as { proof: string }
  const privateKey = readFileSync(join(world.dataDir, 'ledger-key'))
  await world.stop()

  const folder = temporaryDataFolder()
  folder.secretOrCreate('ledger-key', () => privateKey)
  const forged = await createLedger({ dataFolder: folder, origin: 'castellan', clock: world.clock })
  const size = Number(kept.checkpoint.split('\n')[1])
  for (let more = 0; more < size + 5; more += 1) await forged.append(noted, { outcome: 'succeeded' })
  const from = await forged.prove({ from: size })
  const checkpoint = await forged.checkpoint()
  await forged.close()

  // By itself it is as good as the true one.
  expect(await verifyLedger({ folder: folder.path, publicKey: kept.publicKey })).toMatchObject({ holds: true })
  const judge = (text: string, older?: string) => verifyProof({ proof: text, publicKey: kept.publicKey, older })
  expect(judge(from ?? '', kept.checkpoint)).toMatchObject({
    holds: false,
    says: expect.stringContaining(`does not begin with the ${size} that were seen before`) as unknown,
  })
  expect(judge(proof)).toMatchObject({ holds: true, entry: { seq, event: 'call.intended' } })
  const moved = `${proof.slice(0, proof.indexOf('\n\n'))}\n\n${checkpoint ?? ''}`
  expect(judge(moved)).toMatchObject({ holds: false })
})
