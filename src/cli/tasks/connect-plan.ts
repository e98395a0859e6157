import { fileURLToPath } from 'node:url'
import type { ClientFacts, Scope, TokenWay } from '../clients/client.ts'
import { clientTable } from '../clients/client-table.ts'
import { editText, type Wish } from '../clients/edit-file.ts'
import { makeWishes, tokenWayOf, type Connection } from '../clients/entry.ts'
import { locate, systemOf, type Located, type Machine } from '../clients/locate.ts'
import { changeLines, ownLines, type ChangeLine } from '../clients/show-change.ts'
import { SyntaxProblem } from '../clients/syntax-problem.ts'
import { digestOf, readUserFile, type UserFile } from '../clients/user-file.ts'
import { CliFailure } from '../failure.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** What is asked for, with the machine it is asked on. */
export interface Request {
  readonly clientName: string
  readonly scope: Scope
  /** Name of the entry. */
  readonly name: string
  readonly url: string
  /** The client starts `castellan bridge`, although it could speak HTTP itself. */
  readonly wantsBridge: boolean
  /** The command line that asked for it, without what it is to do. */
  readonly asked: string
  /** Where the token of a bridge is kept. */
  readonly tokenFile: string
}

/** A change of one client's file that nobody has made yet. Holds no token. */
export interface Plan {
  readonly client: ClientFacts
  readonly located: Located
  readonly file: UserFile
  /** Empty when the file is as it has to be. */
  readonly changes: readonly ChangeLine[]
  readonly tokenWay: TokenWay | 'token file'
  /** Stands for the file and the change: what was looked at is what is written. */
  readonly digest: string
  /** The text of the file with the entry in it. @throws CliFailure `cli.client-file-syntax` */
  apply(file: UserFile, token: string): Promise<string>
}

const placeholder = '<access token>'

export function machineOf(terminal: Terminal): Machine {
  const { home, workingDirectory, environment } = terminal
  return { system: systemOf(process.platform), home, workingDirectory, environment }
}

/** @throws CliFailure `cli.unknown-client` */
export function findClient(name: string): ClientFacts {
  const client = Object.hasOwn(clientTable, name) ? clientTable[name] : undefined
  if (client !== undefined) return client
  const hint = `it knows ${Object.keys(clientTable).join(', ')}`
  throw new CliFailure('usage', 'cli.unknown-client', `there is no client \`${name}\``, hint)
}

const launcher = fileURLToPath(new URL('../../../bin/castellan.js', import.meta.url))

/** Whether this program lies where npm keeps what `npx` fetched, and may empty it at any time. */
export const isPassing = /[\\/]_npx[\\/]/.test(launcher)

/**
 * How a client starts this program. WHY: by its place, because a name is looked up by whoever starts it: on another PATH,
 * or in a registry where the name belongs to somebody else.
 */
function bridgeWords(url: string, tokenFile: string): string[] {
  return [process.execPath, launcher, 'bridge', url, '--token-file', tokenFile]
}

function unreadable(file: UserFile, problem: SyntaxProblem): CliFailure {
  const { line, column, message } = problem
  const where = `\`${file.path}\`, line ${line}, column ${column}: ${message}`
  const hint = 'nothing was changed; correct the file, or add the entry by hand: see --print'
  return new CliFailure('usage', 'cli.client-file-syntax', where, hint)
}

/** What the client's file has to hold. */
export function wishesOf(request: Request, token: string): Wish[] {
  const client = findClient(request.clientName)
  const { name, url, scope } = request
  const isBridged = client.reach === 'bridge' || request.wantsBridge
  const bridge = isBridged ? bridgeWords(url, request.tokenFile) : undefined
  const connection: Connection = { name, url, scope, token, bridge }
  const wishes = makeWishes(client, connection)
  if (wishes.length > 0) return wishes
  const hint = 'see `castellan connect --list` for what each client can do'
  throw new CliFailure('usage', 'cli.no-client-entry', `${client.title} cannot be told about this in a file`, hint)
}

function locateFile(request: Request, client: ClientFacts, terminal: Terminal): Located {
  const { place } = client
  const located = place === undefined ? undefined : locate(place, request.scope, machineOf(terminal))
  if (located !== undefined) return located
  const hint = request.scope === 'project' ? 'use --scope user' : `next: ${client.next}`
  throw new CliFailure('usage', 'cli.no-client-file', `${client.title} has no file for this scope`, hint)
}

/**
 * Looks at the client's file and says what would change. Nothing is written.
 * @throws CliFailure `cli.unknown-client`, `cli.no-client-file`, `cli.client-file-…`
 */
export async function planConnection(request: Request, terminal: Terminal): Promise<Plan> {
  const client = findClient(request.clientName)
  const located = locateFile(request, client, terminal)
  const { format = 'json', frame } = client.place ?? {}
  const file = readUserFile(located)
  const textWith = async (of: UserFile, token: string): Promise<string> => {
    try {
      return await editText(of.text, { format, frame, wishes: wishesOf(request, token) })
    } catch (error) {
      throw error instanceof SyntaxProblem ? unreadable(of, error) : error
    }
  }
  const after = await textWith(file, placeholder)
  const own = ownLines(await textWith({ ...file, text: undefined }, placeholder))
  const isBridged = client.reach === 'bridge' || request.wantsBridge
  return {
    client,
    located,
    file,
    changes: changeLines({ before: file.text, after, own }),
    tokenWay: isBridged ? 'token file' : tokenWayOf(client, request.scope),
    digest: digestOf(file.realPath, file.text, after),
    apply: textWith,
  }
}
