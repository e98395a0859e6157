/** The rooms that the proof `replay` needs, over a ledger and a database of their own in a folder that is thrown away. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLedger, type Ledger } from '#audit'
import { isRefusal, type Principal } from '#kernel'
import { type Database, openDatabase } from '#platform/database'
import { openDataFolder } from '#platform/files'
import { createPolicy, createSurroundings, type Policy } from '#policy'
import { applyRoles } from '../../src/policy/change/apply-roles.ts'
import { recordChange } from '../../src/policy/record-change.ts'
import { publish, readCurrent } from '../../src/policy/snapshot/publish.ts'
import { folderOf, type RandomPolicy } from './rules.ts'
import { office } from './words.ts'

export interface Stage {
  readonly ledger: Ledger
  readonly policy: Policy
  /** Wall-clock time of everything that is recorded. */
  setTime(ms: number): void
  /** Makes a draft of it. @returns its id */
  draft(made: RandomPolicy): Promise<string>
  /** Puts it in force. */
  putInForce(made: RandomPolicy): Promise<void>
  close(): Promise<void>
}

export const administrator: Principal = {
  id: 'administrator',
  name: 'administrator',
  roles: ['admin'],
  factors: [],
  credential: { kind: 'session', id: 's', expiresAt: 0 },
}

async function makeDraft(policy: Policy, made: RandomPolicy): Promise<string> {
  const { drafts } = policy.changes
  const draft = await drafts.make({ files: folderOf(made), isPruning: true, note: '', by: administrator })
  if (isRefusal(draft)) throw new Error(`${draft.code}: ${JSON.stringify(draft)}`)
  return draft.id
}

async function publishDraft(
  { database, ledger, policy }: { database: Database; ledger: Ledger; policy: Policy },
  id: string,
) {
  const found = await policy.changes.drafts.find(id)
  if (found === undefined) throw new Error('the draft is gone')
  const { contents } = found.draft
  const now = 1
  await recordChange(database, ledger, async (rows) => {
    const current = await readCurrent(rows)
    const more = {
      author: administrator.id,
      publisher: administrator.id,
      note: '',
      cameFrom: { kind: 'folder' },
    } as const
    const document = { form: 1, ...contents, ...more } as const
    const published = await publish(rows, { version: current.snapshot.version + 1, document, createdAt: now })
    if (isRefusal(published)) throw new Error(published.code)
    await applyRoles(rows, { before: current.roles, after: contents.roles, now })
  })
  await policy.refresh()
}

export async function openStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-replay-'))
  let nowMs = Date.UTC(2026, 0, 1)
  const clock = { now: () => nowMs }
  const dataFolder = openDataFolder(folder)
  const database = await openDatabase({ url: `sqlite:${folder}/castellan.db` })
  const ledger = await createLedger({ dataFolder, origin: 'replay', clock })
  const networks = [{ name: 'office', addresses: [office] }]
  const current = createSurroundings({ policy: { timeZone: 'UTC', networks } })
  const policy = await createPolicy({ database, ledger, clock, surroundings: { current } })
  return {
    ledger,
    policy,
    setTime: (ms) => (nowMs = ms),
    draft: (made) => makeDraft(policy, made),
    putInForce: async (made) => publishDraft({ database, ledger, policy }, await makeDraft(policy, made)),
    async close() {
      await ledger.close()
      await database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
