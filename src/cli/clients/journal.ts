import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Terminal } from '../terminal/terminal.ts'
import { replaceText, whileLocked } from './user-file.ts'

/** One file that `castellan connect` wrote, with what is needed to take it back. Holds no token. */
export interface Written {
  readonly client: string
  /** Name of the entry. */
  readonly name: string
  readonly path: string
  readonly realPath: string
  /** The file as it was; null when there was none. */
  readonly backup: string | null
  readonly mode: number
  /** Of what was written. */
  readonly digest: string
  readonly tokenId: string
  readonly tokenFile: string | null
  readonly adminUrl: string
  /** ISO 8601 in UTC. */
  readonly at: string
}

/** What was written on this machine, oldest first; kept for the owner only. */
export interface Journal {
  readonly path: string
  read(): readonly Written[]
  add(written: Written): Promise<void>
  remove(written: Written): Promise<void>
}

/** The folder in which the command line keeps what belongs to a person. */
export function ownFolder({ environment, home }: Pick<Terminal, 'environment' | 'home'>): string {
  return join(environment['XDG_CONFIG_HOME'] || join(home, '.config'), 'castellan')
}

function readWritten(path: string): Written[] {
  try {
    const { written } = JSON.parse(readFileSync(path, 'utf8')) as { written?: Written[] }
    return Array.isArray(written) ? written.filter((each) => typeof each?.realPath === 'string') : []
  } catch {
    // WHY: without the journal nothing can be undone, and everything else works; backups lie beside their files.
    return []
  }
}

export function openJournal(terminal: Pick<Terminal, 'environment' | 'home'>): Journal {
  const path = join(ownFolder(terminal), 'connections.json')
  const change = (make: (written: readonly Written[]) => readonly Written[]) =>
    whileLocked(path, () =>
      replaceText(path, `${JSON.stringify({ written: make(readWritten(path)) }, null, 2)}\n`, 0o600),
    )
  return {
    path,
    read: () => readWritten(path),
    add: (written) => change((others) => [...others, written]),
    remove: (written) =>
      change((others) => others.filter((each) => each.realPath !== written.realPath || each.digest !== written.digest)),
  }
}
