import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { openJournal, type Written } from '../clients/journal.ts'
import { digestOf, readUserFile, replaceText, whileLocked, writeBackup, type UserFile } from '../clients/user-file.ts'
import { shortPath } from '../clients/locate.ts'
import { CliFailure } from '../failure.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { isPassing, type Plan, type Request } from './connect-plan.ts'

export interface MintedToken {
  readonly token: string
  readonly id: string
}

/** What was done to a client's file. */
export interface Outcome {
  readonly backup: string | null
  readonly isChanged: boolean
  readonly tokenFile: string | null
  /** For the person, in whole sentences. */
  readonly warnings: readonly string[]
}

function changedMeanwhile(file: UserFile): CliFailure {
  const hint = 'run the command again and look at the new preview'
  const message = `\`${file.path}\` was changed since the preview; nothing was written`
  return new CliFailure('conflict', 'cli.client-file-changed', message, hint)
}

function warningsOf({ plan, request, mode }: { plan: Plan; request: Request; mode: number }, home: string): string[] {
  const passing = 'castellan lies in the cache of npx, which npm may empty: install it, then connect again'
  if (plan.tokenWay === 'token file' && isPassing) return [passing]
  if (plan.tokenWay !== 'literal') return []
  const path = shortPath(plan.located.path, home)
  const isOpen = process.platform !== 'win32' && (mode & 0o077) !== 0
  return [
    ...(isOpen ? [`others on this machine can read ${path}, which holds the token: run \`chmod 600 ${path}\``] : []),
    ...(request.scope === 'project' ? [`${path} holds the token: keep it out of version control`] : []),
  ]
}

/** Keeps a token where only its owner reads it. */
export function writeTokenFile(path: string, token: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  replaceText(path, `${token}\n`, 0o600)
}

/**
 * Writes what was planned: a backup beside the file, then the file as a whole, then a note for `connect undo`.
 * @param work.isSeen somebody agreed to the preview, so a file that was changed since is refused
 * @throws CliFailure `cli.client-file-changed`, `cli.client-file-…`
 */
export async function writeConnection(
  work: { plan: Plan; request: Request; minted: MintedToken; isSeen: boolean; adminUrl: string },
  terminal: Terminal,
): Promise<Outcome> {
  const { plan, request, minted, isSeen } = work
  const { realPath } = plan.file
  const journal = openJournal(terminal)
  return whileLocked(realPath, async () => {
    const file = readUserFile(plan.located)
    if (file.realPath !== realPath || (isSeen && file.text !== plan.file.text)) throw changedMeanwhile(file)
    const text = await plan.apply(file, minted.token)
    const tokenFile = plan.tokenWay === 'token file' ? request.tokenFile : null
    if (tokenFile !== null) writeTokenFile(tokenFile, minted.token)
    const warnings = warningsOf({ plan, request, mode: file.mode }, terminal.home)
    if (text === file.text) return { backup: null, isChanged: false, tokenFile, warnings }
    const backup = file.text === undefined ? null : writeBackup(realPath, file.text, terminal.now())
    try {
      const written: Written = {
        client: request.clientName,
        name: request.name,
        path: file.path,
        realPath,
        backup,
        mode: file.mode,
        digest: digestOf(text),
        tokenId: minted.id,
        tokenFile,
        adminUrl: work.adminUrl,
        at: new Date(terminal.now()).toISOString(),
      }
      await journal.add(written)
      replaceText(realPath, text, file.mode)
    } catch (error) {
      if (backup !== null) rmSync(backup, { force: true })
      throw error
    }
    return { backup, isChanged: true, tokenFile, warnings }
  })
}
