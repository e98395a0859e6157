/**
 * Every client has to reach every server: clients and servers that others wrote, old and new, with and without the bridge,
 * alone and aggregated. The same questions are asked in every cell, and each answer is compared with what it has to be.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningCastellan, runCastellan } from '../../test/world/running-castellan.ts'
import type { Proof, ProofOutcome } from './contract.ts'
import { askPeer, type Cell, describeCell, headLine } from './interop/ask-peer.ts'
import { type Door, peerKinds as libraryKinds } from './interop/clients.ts'
import { otherPeerKinds } from './interop/other-clients.ts'
import { startSubjects, type Subject } from './interop/servers.ts'

const peerKinds = [...libraryKinds, ...otherPeerKinds]

async function doorTo({ gatewayUrl, ana }: RunningCastellan, path: string): Promise<Door> {
  const url = `${gatewayUrl}${path}`
  const { status, body } = await ana.api('POST', '/tokens', { label: 'interop', resource: url, ttlSeconds: 3600 })
  if (status >= 300) throw new Error(`no token for ${path}: ${status} ${JSON.stringify(body)}`)
  return { url, token: String(body['token']) }
}

async function askAll(castellan: RunningCastellan, subjects: readonly Subject[]): Promise<Cell[]> {
  const cells: Cell[] = []
  for (const subject of subjects) {
    for (const path of [`/servers/${subject.name}/mcp`, '/mcp']) {
      const door = await doorTo(castellan, path)
      console.log(`\n${headLine}`)
      for (const kind of peerKinds) {
        const cell = await askPeer(kind, subject, { door, path, isAlone: path !== '/mcp' })
        console.log(describeCell(cell))
        cells.push(cell)
      }
    }
  }
  return cells
}

async function run(): Promise<ProofOutcome> {
  const startedAt = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'castellan-interop-'))
  const { subjects, end } = await startSubjects(folder)
  try {
    const castellan = await runCastellan()
    try {
      for (const { name, place } of subjects) await castellan.addUpstream(name, place)
      const cells = await askAll(castellan, subjects)
      const wrong = cells.filter(({ holds }) => !holds)
      return {
        holds: wrong.length === 0 && cells.length === subjects.length * peerKinds.length * 2,
        cells: cells.length,
        cellsThatHold: cells.length - wrong.length,
        clients: peerKinds.map(({ name }) => name),
        servers: subjects.map(({ name }) => name),
        wrong: wrong.map(({ client, server, path, outcomes }) => ({ client, server, path, outcomes })),
        seconds: Math.round((performance.now() - startedAt) / 1000),
      }
    } finally {
      await castellan.end()
    }
  } finally {
    await end()
    rmSync(folder, { recursive: true, force: true })
  }
}

export const proof: Proof = {
  shows: 'clients and servers of others, of every era, reach each other alone, aggregated and over the bridge',
  run,
}
