/** Official libraries, programs, the official suite and an independent library sign in, each the whole way. */
import { createCells, sumUp } from '../oauth/cells.ts'
import { runInspector } from '../oauth/inspector.ts'
import { walkParty } from '../oauth/party.ts'
import { runPrograms } from '../oauth/programs.ts'
import { onStage } from '../oauth/stage.ts'
import { runSuite } from '../oauth/suite.ts'
import { walkLibraries } from '../oauth/walk-libraries.ts'
import type { Proof } from './contract.ts'

const clients = ['SDK 1.x', 'SDK 2.x', 'mcp-remote', 'Inspector CLI', 'official suite', 'oauth4webapi']

export const proof: Proof = {
  shows:
    'clients of others find the authorization server, are let in by their person in a real browser, call, and are let go',
  async run() {
    const cells = createCells((line) => console.log(line))
    await onStage(async (stage) => {
      await runSuite(stage, cells)
      await walkLibraries(stage, cells, 'echo')
      await runPrograms(stage, cells)
      await runInspector(stage, cells)
      await walkParty(stage, cells)
    })
    return sumUp(cells.all, clients)
  },
}
