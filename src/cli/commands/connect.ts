import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { clientTable } from '../clients/client-table.ts'
import type { Scope } from '../clients/client.ts'
import { ownFolder } from '../clients/journal.ts'
import { shortPath } from '../clients/locate.ts'
import { isPrivateUrl } from '../clients/reach.ts'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { readCount, showTime } from '../duration.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { adminApi, type AdminApi } from '../remote/api.ts'
import { resourceFor, type Reached } from '../remote/resource.ts'
import { signInWhenNeeded, withSignInOptions, type SignInOptions } from '../remote/sign-in.ts'
import { listClients } from '../tasks/connect-list.ts'
import { findClient, machineOf, planConnection, type Plan, type Request } from '../tasks/connect-plan.ts'
import { printConnection } from '../tasks/connect-print.ts'
import { showClients, showOutcome, showPlan } from '../tasks/connect-show.ts'
import { findWritten, undoWritten } from '../tasks/connect-undo.ts'
import { writeConnection, type MintedToken } from '../tasks/connect-write.ts'

interface ConnectOptions extends SignInOptions {
  readonly upstream?: string
  readonly bundle?: string
  readonly all?: boolean
  readonly scope: string
  readonly days: string
  readonly bridge?: boolean
  readonly write?: boolean
  readonly print?: boolean
  readonly yes?: boolean
  readonly expect?: string
  readonly list?: boolean
}

function wrongUse(code: string, message: string, hint: string): CliFailure {
  return new CliFailure('usage', code, message, hint)
}

function reachedBy({ upstream, bundle, all }: ConnectOptions): Reached {
  const given = [upstream, bundle, all === true ? 'all' : undefined].filter((each) => each !== undefined)
  if (given.length > 1) {
    throw wrongUse('cli.usage', '--upstream, --bundle and --all exclude each other', 'give one of them')
  }
  if (upstream !== undefined) return { upstream }
  return bundle === undefined ? 'all' : { bundle }
}

function entryName(reached: Reached): string {
  if (reached === 'all') return 'castellan'
  return `castellan-${'bundle' in reached ? reached.bundle : reached.upstream}`
}

/** What was typed, without what it is to do: the next command begins with it. */
function askedBy(clientName: string, { upstream, bundle, scope, bridge }: ConnectOptions): string {
  return [
    `castellan connect ${clientName}`,
    ...(upstream === undefined ? [] : [`--upstream ${upstream}`]),
    ...(bundle === undefined ? [] : [`--bundle ${bundle}`]),
    ...(scope === 'user' ? [] : [`--scope ${scope}`]),
    ...(bridge === true ? ['--bridge'] : []),
  ].join(' ')
}

function readScope(scope: string): Scope {
  if (scope === 'user' || scope === 'project') return scope
  throw wrongUse('cli.bad-scope', `\`${scope}\` is not a scope`, 'use user or project')
}

async function mint(api: AdminApi, request: Request, days: number) {
  const { token, view } = await api.tokens.create({
    label: `${request.clientName} on ${hostname()}`.slice(0, 60),
    resource: request.url,
    ttlSeconds: days * 86_400,
  })
  return { token, id: view.id, expiresAt: showTime(view.expiresAt) }
}

function planFacts(plan: Plan, request: Request): object {
  return {
    client: request.clientName,
    title: plan.client.title,
    scope: request.scope,
    entry: request.name,
    resource: request.url,
    file: plan.file.path,
    realFile: plan.file.realPath,
    format: plan.client.place?.format,
    token: plan.tokenWay,
    changes: plan.changes,
    preview: plan.digest,
    next: plan.client.next,
  }
}

async function write(
  invocation: Invocation,
  api: AdminApi,
  work: { request: Request; options: ConnectOptions },
): Promise<void> {
  const { request, options } = work
  const { terminal, output } = invocation
  const plan = await planConnection(request, terminal)
  if (options.expect !== undefined && options.expect !== plan.digest) {
    const message = `the preview is ${plan.digest}, not \`${options.expect}\`; nothing was written`
    throw new CliFailure('conflict', 'cli.client-file-changed', message, 'look at the new preview first')
  }
  const isSeen = options.yes !== true || options.expect !== undefined
  if (isSeen && options.expect === undefined) {
    if (!output.isJson) showPlan(invocation, plan, request)
    const path = shortPath(plan.file.path, terminal.home)
    await confirmOrRefuse(invocation, `Write this to ${path} and make an access token for it?`, false)
  }
  const minted = await mint(api, request, readCount(options.days, { name: '--days', min: 1, max: 365 }))
  const outcome = await writeOrRevoke(invocation, api, { plan, request, minted, isSeen })
  const isHandedOver = plan.tokenWay === 'environment' || plan.tokenWay === 'prompt'
  const facts = {
    ...planFacts(plan, request),
    ...outcome,
    tokenId: minted.id,
    expiresAt: minted.expiresAt,
    ...(isHandedOver ? { token: minted.token } : {}),
    tokenWay: plan.tokenWay,
    undo: `castellan connect undo ${request.clientName}`,
  }
  const shown = { plan, request, outcome, token: minted.token, expiresAt: minted.expiresAt, resource: request.url }
  output.result(facts, () => showOutcome(invocation, shown))
}

/** A token that reached no file is worth nothing to anybody, so it ends at once. */
async function writeOrRevoke(
  invocation: Invocation,
  api: AdminApi,
  work: { plan: Plan; request: Request; minted: MintedToken; isSeen: boolean },
) {
  try {
    return await writeConnection({ ...work, adminUrl: await invocation.adminUrl() }, invocation.terminal)
  } catch (error) {
    await api.tokens.revoke(work.minted.id)
    throw error
  }
}

function showByHand({ output }: Invocation, request: Request): void {
  const { title, next } = findClient(request.clientName)
  const note = isPrivateUrl(request.url)
    ? `${title} connects from the internet and cannot reach this gateway`
    : `${title} signs in with OAuth, which this gateway does not offer`
  const instead = 'castellan connect claude-desktop'
  output.result({ client: request.clientName, title, resource: request.url, note, next, instead }, () => {
    output.line(request.url)
    output.note({ text: note, tone: 'warn' })
    output.note(`use Claude Desktop instead: \`${instead}\`; for a public gateway with OAuth: ${next}`)
  })
}

async function connectClient(invocation: Invocation, clientName: string, options: ConnectOptions): Promise<void> {
  const client = findClient(clientName)
  const days = readCount(options.days, { name: '--days', min: 1, max: 365 })
  const reached = reachedBy(options)
  const scope = readScope(options.scope)
  const { api } = await signInWhenNeeded(invocation, options)
  const name = entryName(reached)
  const request: Request = {
    clientName,
    scope,
    name,
    url: await resourceFor(api, reached),
    wantsBridge: options.bridge === true,
    asked: askedBy(clientName, options),
    tokenFile: join(ownFolder(invocation.terminal), 'tokens', `${clientName}-${name}`),
  }
  if (client.reach === 'public') return showByHand(invocation, request)
  if (options.write === true) return write(invocation, api, { request, options })
  if (options.print === true || client.isRunByCommand === true) {
    return printConnection(invocation, request, await mint(api, request, days))
  }
  const plan = await planConnection(request, invocation.terminal)
  const link = request.wantsBridge ? undefined : client.link?.({ name, url: request.url })
  invocation.output.result({ ...planFacts(plan, request), ...(link === undefined ? {} : { link }) }, () => {
    showPlan(invocation, plan, request)
  })
}

async function list(invocation: Invocation): Promise<void> {
  const clients = await listClients(machineOf(invocation.terminal))
  invocation.output.result(clients, () => showClients(invocation, clients))
}

/** Ends the token of what was taken back, when somebody is signed in at the castellan that made it. */
async function revokeOf(invocation: Invocation, written: { adminUrl: string; tokenId: string }): Promise<boolean> {
  if (written.adminUrl !== (await invocation.adminUrl())) return false
  try {
    const session = await invocation.session()
    if (session === undefined) return false
    await adminApi(await invocation.client(session.token)).tokens.revoke(written.tokenId)
    return true
  } catch {
    // WHY: the file is as it was; a server that is away does not make that a failure.
    return false
  }
}

async function undo(invocation: Invocation, clientName: string | undefined, isSure: boolean): Promise<void> {
  const { terminal, output } = invocation
  if (clientName !== undefined) findClient(clientName)
  const written = findWritten(clientName, terminal)
  const path = shortPath(written.path, terminal.home)
  const how = written.backup === null ? 'Remove' : 'Restore'
  await confirmOrRefuse(invocation, `${how} ${path}, as it was before ${showTime(written.at)}?`, isSure)
  await undoWritten(written, terminal)
  const isRevoked = await revokeOf(invocation, written)
  const { client, name, tokenId, realPath, backup } = written
  const restored = backup === null ? 'removed' : 'restored'
  output.result({ client, entry: name, file: written.path, realFile: realPath, restored, tokenId, isRevoked }, () => {
    output.line(`${restored} ${path}`)
    output.note(isRevoked ? 'its token works no more' : `its token lasts: \`castellan token revoke ${tokenId}\``)
  })
}

function declareConnect(program: Command, open: () => Invocation): Command {
  const command = program
    .command('connect')
    .argument('[client]', 'a client; see --list')
    .description('tell an MCP client about this castellan: preview the change of its file, write it, print it')
    .option('--upstream <name>', 'one upstream instead of all')
    .option('--bundle <name>', 'one bundle instead of all')
    .option('--all', 'all upstreams that you may use (default)')
    .option('--scope <scope>', 'user, or project for the current folder', 'user')
    .option('--days <days>', 'how long the token lasts', '30')
    .option('--bridge', 'let the client start `castellan bridge`, which keeps the token out of its file')
    .option('--write', 'write the file, with a backup beside it')
    .option('--yes', 'do not ask')
    .option('--expect <preview>', 'write only what this preview showed')
    .option('--print', 'make a token and print what to run or paste')
    .option('--list', 'list the clients and what is on this machine')
  return withSignInOptions(command).action(async (client: string | undefined, options: ConnectOptions) => {
    if (options.list === true) return list(open())
    if (client !== undefined) return connectClient(open(), client, options)
    const hint = `give one of ${Object.keys(clientTable).join(', ')}, or --list`
    throw wrongUse('cli.usage', 'no client is named', hint)
  })
}

export const connect: CommandPlug = {
  examples: [
    'castellan connect --list',
    'castellan connect cursor',
    'castellan connect cursor --write',
    'castellan connect claude-code --upstream files --days 7 --print',
    'castellan connect undo cursor',
  ],
  declare(program, open) {
    declareConnect(program, open)
      .command('undo')
      .argument('[client]')
      .description('give the file that was written last back as it was, and revoke its token')
      .option('--yes', 'do not ask')
      .action((client: string | undefined, _options: object, self: Command) => {
        // WHY: an option that `connect` has too is given to `connect`, wherever it stands.
        return undo(open(), client, self.optsWithGlobals<ConnectOptions>().yes === true)
      })
  },
}
