/** The matrix against identity alone, with a clock that stands still: exact to the second. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLedger } from '#audit'
import { createIdentity, type IdentitySettings } from '#identity'
import { createRemedies } from '#policy'
import { isRefusal, type Principal, type Refusal } from '#kernel'
import { openDatabase } from '#platform/database'
import { loadConfig } from '#platform/config'
import { openDataFolder } from '#platform/files'
import { createKeyring } from '#secrets'
import { createTestClock } from '../../test/world/clock.ts'
import { badKinds } from './bad.ts'
import { goodKinds } from './good.ts'
import { endScene, type Kind, sceneIssuers, setScene } from './scene.ts'

export interface JudgedAlone {
  /** Kinds that were not judged as they have to be, and how they were. */
  readonly wrong: readonly string[]
  readonly accepted: number
  readonly refused: number
  /** Rows that bad tokens left behind. */
  readonly left: number
  readonly reasons: Readonly<Record<string, number>>
}

const resource = 'http://localhost:8090/servers/books/mcp'

function reasonOf(answer: Principal | Refusal): string {
  if (!isRefusal(answer)) return 'accepted'
  const { reason } = answer.detail
  return typeof reason === 'string' ? reason : answer.code
}

async function openIdentity(issuers: readonly Record<string, unknown>[], folder: string) {
  const env = { CASTELLAN_DATA_DIR: join(folder, 'data'), CASTELLAN_IDENTITY__ISSUERS: JSON.stringify(issuers) }
  const { config } = loadConfig({ env, cwd: folder, home: folder })
  const clock = createTestClock()
  const database = await openDatabase({ url: `sqlite:${folder}/castellan.db` })
  const ledger = await createLedger({ dataFolder: openDataFolder(config.dataDir), origin: 'matrix', clock })
  const settings: IdentitySettings = { ...config.identity, oauth: config.oauth }
  const sealer = createKeyring({ rootKey: randomBytes(32) })
  const places = { gatewayUrl: config.gateway.publicUrl, adminUrl: config.admin.publicUrl }
  const policy = { refresh: () => undefined, ruleFingerprint: () => undefined }
  const remedies = createRemedies({ database, ledger, clock, sealer, policy })
  const identity = createIdentity({ database, ledger, clock, sealer, settings, places, remedies })
  return { identity, database, clock, close: async () => void (await Promise.all([ledger.close(), database.close()])) }
}

/** Presents each kind twice: what was judged must not depend on what was seen before. */
export async function judgeAlone(): Promise<JudgedAlone> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-tokens-'))
  const now = createTestClock()
  const scene = await setScene(resource, () => Math.floor(now.now() / 1_000))
  const { identity, database, close } = await openIdentity(sceneIssuers(scene), folder)
  const wrong: string[] = []
  const reasons: Record<string, number> = {}
  async function count(kinds: readonly Kind[], isGood: boolean): Promise<number> {
    let right = 0
    for (const { name, make } of kinds) {
      const token = make(scene)
      const answers = [await identity.authenticateAccessToken(token, resource)]
      answers.push(await identity.authenticateAccessToken(token, resource))
      const reasonsFound = answers.map((answer) => reasonOf(answer))
      if (answers.every((answer) => isRefusal(answer) !== isGood)) right += 1
      else wrong.push(`${name}: ${reasonsFound.join(', ')}`)
      for (const reason of reasonsFound.slice(0, 1)) reasons[reason] = (reasons[reason] ?? 0) + 1
    }
    return right
  }
  try {
    const refused = await count(badKinds, false)
    const rows = await database.query.selectFrom('people').select('id').execute()
    const accepted = await count(goodKinds, true)
    return { wrong, accepted, refused, left: rows.length, reasons }
  } finally {
    endScene(scene)
    await close()
    rmSync(folder, { recursive: true, force: true })
  }
}
