import type { LoadedConfig, ReloadResult } from '#platform/config'
import { openAdminClient, readAdminUrl, type AdminClient, type TokenSource } from './remote/admin-client.ts'
import { CliFailure } from './failure.ts'
import type { Output } from './terminal/output.ts'
import type { Prompts } from './terminal/prompts.ts'
import { currentSession } from './remote/renew-session.ts'
import { openSessionStore, type SavedSession, type SessionStore } from './remote/session-store.ts'
import type { Terminal } from './terminal/terminal.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean
  readonly quiet?: boolean
  /** False with `--no-input`. */
  readonly input?: boolean
  readonly adminUrl?: string
  readonly dataDir?: string
  readonly config?: string
}

/** A started installation, as `castellan up` sees it. */
export interface RunningCastellan {
  stop(): Promise<void>
  /** Calls that are not answered yet, or whose end is not on record. */
  unfinishedCount(): number
  /** Reads the configuration again and applies what can change while it runs. */
  reload(): Promise<ReloadResult>
  readonly gatewayUrl: string
  readonly adminUrl: string
  readonly dataDir: string
  /** Only while there is no admin. */
  readonly setupUrl?: string | undefined
  readonly startedInMs: number
}

export type Up = (loaded: LoadedConfig, options?: { onReady?: () => void }) => Promise<RunningCastellan>

/** One run of the program: what a command works with. */
export interface Invocation {
  readonly terminal: Terminal
  readonly output: Output
  readonly prompts: Prompts
  readonly options: GlobalOptions
  readonly up: Up
  readonly sessions: SessionStore
  /** Configuration of this machine. @param args values of flags by dotted key */
  loadConfig(args?: Record<string, string>): Promise<LoadedConfig>
  adminUrl(): Promise<string>
  /** The admin API as the saved session's person. @throws CliFailure `cli.not-signed-in` */
  signedIn(): Promise<AdminClient>
  /** The saved sign-in, renewed when it is about to run out; undefined when there is none or it has ended. */
  session(): Promise<SavedSession | undefined>
  /** The admin API with this session token, or as nobody. */
  client(token?: TokenSource): Promise<AdminClient>
  close(): Promise<void>
}

async function loadConfigOf(
  { terminal, options }: { terminal: Terminal; options: GlobalOptions },
  args: Record<string, string> = {},
): Promise<LoadedConfig> {
  const { loadConfig } = await import('#platform/config')
  return loadConfig({
    args: { ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }), ...args },
    env: { ...terminal.environment, ...(options.config === undefined ? {} : { CASTELLAN_CONFIG: options.config }) },
    cwd: terminal.workingDirectory,
    home: terminal.home,
  })
}

export function notSignedIn(adminUrl: string): CliFailure {
  return new CliFailure(
    'signIn',
    'cli.not-signed-in',
    `you are not signed in at \`${adminUrl}\``,
    'run `castellan login`',
  )
}

export function createInvocation(parts: {
  terminal: Terminal
  output: Output
  prompts: Prompts
  options: GlobalOptions
  up: Up
}): Invocation {
  const { terminal, options } = parts
  const sessions = openSessionStore(terminal)
  const clients: AdminClient[] = []
  const invocation: Invocation = {
    ...parts,
    sessions,
    loadConfig: (args) => loadConfigOf(parts, args),
    async adminUrl() {
      return readAdminUrl(options.adminUrl ?? (await loadConfigOf(parts)).config.admin.publicUrl)
    },
    async session() {
      return currentSession({ sessions, terminal, adminUrl: await invocation.adminUrl() })
    },
    async signedIn() {
      const adminUrl = await invocation.adminUrl()
      if ((await invocation.session()) === undefined) throw notSignedIn(adminUrl)
      return invocation.client(async () => {
        const session = await invocation.session()
        if (session === undefined) throw notSignedIn(adminUrl)
        return session.token
      })
    },
    async client(token) {
      const client = await openAdminClient(await invocation.adminUrl(), token)
      clients.push(client)
      return client
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()))
    },
  }
  return invocation
}
