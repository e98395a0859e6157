import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CliFailure } from '../failure.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** A sign-in kept for the next command. */
export interface SavedSession {
  readonly token: string
  readonly name: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** Of a sign-in by a browser: with what the token is replaced by the next one, and where. */
  readonly renewal?: Renewal
}

/** How a terminal stays signed in. */
export interface Renewal {
  /** Good once: each use gives the next one. */
  readonly refreshToken: string
  readonly tokenEndpoint: string
  readonly revocationEndpoint: string
}

type Sessions = Record<string, SavedSession>

/** Where sign-ins are kept: `session.json`, for the owner only, one session per admin URL. */
export interface SessionStore {
  readonly path: string
  /** The session made at exactly this origin, if it has not run out or can be renewed. */
  find(adminUrl: string): SavedSession | undefined
  save(adminUrl: string, session: SavedSession): void
  remove(adminUrl: string): void
}

function isSession(value: unknown): value is SavedSession {
  const session = value as Partial<SavedSession> | null
  return (
    typeof session === 'object' &&
    session !== null &&
    typeof session.token === 'string' &&
    typeof session.name === 'string' &&
    typeof session.expiresAt === 'number' &&
    (session.renewal === undefined || isRenewal(session.renewal))
  )
}

function isRenewal(value: Partial<Renewal> | null): boolean {
  const { refreshToken, tokenEndpoint, revocationEndpoint } = value ?? {}
  return [refreshToken, tokenEndpoint, revocationEndpoint].every((one) => typeof one === 'string')
}

function readSessions(path: string): Sessions {
  let text: string
  try {
    if ((statSync(path).mode & 0o077) !== 0) {
      const hint = `run \`chmod 600 ${path}\`, then \`castellan logout\` and \`castellan login\``
      throw new CliFailure('usage', 'cli.session-exposed', `others on this machine can read \`${path}\``, hint)
    }
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw error
  }
  try {
    const { sessions } = JSON.parse(text) as { sessions?: Record<string, unknown> }
    return Object.fromEntries(
      Object.entries(sessions ?? {}).filter((entry): entry is [string, SavedSession] => isSession(entry[1])),
    )
  } catch {
    // WHY: a damaged file holds nothing worth keeping; the next sign-in writes it anew.
    return {}
  }
}

function writeSessions(path: string, sessions: Sessions): void {
  if (Object.keys(sessions).length === 0) return rmSync(path, { force: true })
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${process.pid}`
  rmSync(draft, { force: true })
  writeFileSync(draft, `${JSON.stringify({ sessions }, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  chmodSync(draft, 0o600)
  renameSync(draft, path)
}

export function openSessionStore(terminal: Terminal): SessionStore {
  const configHome = terminal.environment['XDG_CONFIG_HOME'] || join(terminal.home, '.config')
  const path = join(configHome, 'castellan', 'session.json')
  return {
    path,
    find(adminUrl) {
      const session = readSessions(path)[adminUrl]
      return session !== undefined && (session.renewal !== undefined || session.expiresAt > terminal.now())
        ? session
        : undefined
    },
    save: (adminUrl, session) => writeSessions(path, { ...readSessions(path), [adminUrl]: session }),
    remove(adminUrl) {
      const { [adminUrl]: _removed, ...others } = readSessions(path)
      writeSessions(path, others)
    },
  }
}
