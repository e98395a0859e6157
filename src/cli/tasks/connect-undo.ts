import { readFileSync, rmSync } from 'node:fs'
import { clientTable } from '../clients/client-table.ts'
import { differingNames, parseText } from '../clients/edit-file.ts'
import { openJournal, type Written } from '../clients/journal.ts'
import { digestOf, readUserFile, replaceText, whileLocked, type UserFile } from '../clients/user-file.ts'
import { CliFailure } from '../failure.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** @throws CliFailure `cli.nothing-to-undo` */
export function findWritten(clientName: string | undefined, terminal: Terminal): Written {
  const written = openJournal(terminal)
    .read()
    .findLast((each) => clientName === undefined || each.client === clientName)
  if (written !== undefined) return written
  const what = clientName === undefined ? 'no file' : `no file of \`${clientName}\``
  const hint = 'see `castellan connect --list` for what is configured on this machine'
  throw new CliFailure('notFound', 'cli.nothing-to-undo', `castellan connect has written ${what} here`, hint)
}

function readBackup({ backup }: Written): string | undefined {
  if (backup === null) return undefined
  try {
    return readFileSync(backup, 'utf8')
  } catch {
    const message = `the backup \`${backup}\` cannot be read`
    throw new CliFailure('notFound', 'cli.no-backup', message, 'take the entry out of the file by hand')
  }
}

async function namesThatDiffer(written: Written, file: UserFile, backup: string | undefined): Promise<string> {
  const format = clientTable[written.client]?.place?.format ?? 'json'
  try {
    const before = backup === undefined ? {} : await parseText(backup, format)
    const names = differingNames(before, await parseText(file.text ?? '', format))
    return names.slice(0, 12).join(', ')
  } catch {
    return 'it cannot be read any more'
  }
}

async function refuseChanged(written: Written, file: UserFile, backup: string | undefined): Promise<CliFailure> {
  const { path } = written
  const kept = written.backup === null ? 'there was no file before' : `the file as it was is \`${written.backup}\``
  const hint = `take the entry \`${written.name}\` out by hand; ${kept}`
  if (file.text === undefined) return new CliFailure('conflict', 'cli.client-file-changed', `\`${path}\` is gone`, hint)
  const names = await namesThatDiffer(written, file, backup)
  const message = `\`${path}\` was changed since it was written; compared with before, this differs: ${names}`
  return new CliFailure('conflict', 'cli.client-file-changed', message, hint)
}

/**
 * Gives a file back as it was before it was written, byte for byte, if nobody changed it since.
 * @throws CliFailure `cli.client-file-changed`, `cli.no-backup`
 */
export async function undoWritten(written: Written, terminal: Terminal): Promise<void> {
  const { realPath, backup } = written
  await whileLocked(realPath, async () => {
    const before = readBackup(written)
    const file = readUserFile({ path: realPath })
    if (file.text === undefined || digestOf(file.text) !== written.digest)
      throw await refuseChanged(written, file, before)
    if (before === undefined) rmSync(realPath)
    else replaceText(realPath, before, file.mode)
    await openJournal(terminal).remove(written)
    if (backup !== null) rmSync(backup, { force: true })
    if (written.tokenFile !== null) rmSync(written.tokenFile, { force: true })
  })
}
