/**
 * Mallory runs the machine and has the ledger's key. She asks the company's witness to cosign two pasts, many times at once,
 * so that she can show the auditor one and the court the other.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { cosigned, createLedger, startWitness, type WitnessAnswer } from '#audit'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { temporaryDataFolder } from '../world/folder.ts'
import { noted } from '../world/ledger.ts'
import { callTool } from '../world/messages.ts'

proves(
  'LED-10',
  'of two pasts, asked for many times at once, one is cosigned, and the other is kept as evidence',
  async () => {
    const world = await startWorld()
    const token = await world.ana.mint('books')
    await world.post({ token, message: callTool('echo', 'one') })
    const { publicKey } = (await world.ana.api('GET', '/audit/checkpoint')).body as { publicKey: string }
    const truth = String((await world.ana.api('GET', '/audit/consistency?from=0')).body['proof'])
    const folder = temporaryDataFolder()
    folder.secretOrCreate('ledger-key', () => readFileSync(join(world.dataDir, 'ledger-key')))
    const forged = await createLedger({ dataFolder: folder, origin: 'castellan', clock: world.clock })
    onTestFinished(() => forged.close())
    const size = Number(truth.split('\n\ncastellan\n')[1]?.split('\n')[0])
    while (forged.state().size < size) await forged.append(noted, { outcome: 'succeeded' })
    const lie = (await forged.prove({ from: 0 })) ?? ''

    const answers: WitnessAnswer[] = []
    const witness = await startWitness({
      dataFolder: temporaryDataFolder(),
      name: 'witness.example',
      logs: [publicKey],
      clock: world.clock,
      port: 0,
      dangerouslyAllowPlainHttp: false,
      onAnswer: (answer) => answers.push(answer),
      onFault: () => undefined,
    })
    onTestFinished(() => witness.close())
    const post = async (body: string) => {
      const answer = await fetch(`http://127.0.0.1:${witness.port}/add-checkpoint`, { method: 'POST', body })
      return { body, status: answer.status, lines: await answer.text() }
    }
    const told = await Promise.all([truth, lie, truth, lie, lie, truth, lie, truth].map(post))
    const signed = told.filter(({ status }) => status === 200)
    expect(signed).toHaveLength(1)
    expect(told.filter(({ status }) => status === 409)).toHaveLength(7)

    const other = signed[0]?.body === truth ? lie : truth
    const direct = await post(other.replace('old 0', `old ${size}`))
    expect(direct.status).toBe(409)
    expect(answers.at(-1)).toMatchObject({ finding: 'fork' })
    const checkpoint = (text: string) => text.slice(text.indexOf('\n\n') + 2)
    for (const { lines } of told) expect(cosigned(checkpoint(other), lines, witness.verifierKey)).toBeUndefined()
  },
)
