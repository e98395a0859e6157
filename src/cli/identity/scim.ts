import type { Command } from 'commander'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { readDuration, showTime } from '../duration.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { scimApi, type ScimConnection, type ScimRoleChanges, type ScimToken } from '../remote/scim-api.ts'

interface AddOptions {
  readonly expires?: string
  readonly clientId?: string
  readonly provider?: string
  readonly linkBy?: string
}

interface MapOptions {
  readonly group: string
  readonly role: string
  readonly makeAdministrators?: boolean
}

function endOf({ expiresAt, clientId }: ScimConnection): string {
  return clientId === null ? (showTime(expiresAt)?.slice(0, 10) ?? '') : `client ${clientId}`
}

async function list({ output, signedIn }: Invocation): Promise<void> {
  const connections = await scimApi(await signedIn()).list()
  output.result(connections, () =>
    output.table(
      connections,
      [
        { title: 'NAME', cell: (one) => one.name, isFixed: true },
        { title: 'PEOPLE', cell: (one) => String(one.people), isFixed: true },
        { title: 'GROUPS', cell: (one) => String(one.groups), isFixed: true },
        { title: 'TOKEN ENDS', cell: endOf },
        { title: 'PROVIDER', cell: (one) => (one.provider === null ? '' : `${one.provider} by ${one.linkBy}`) },
        { title: 'GIVES', cell: (one) => one.mappings.map(({ group, role }) => `${group}: ${role}`).join(', ') },
      ],
      'no directory provisions people; add one with `castellan scim add`',
    ),
  )
}

function tell({ output }: Invocation, answer: ScimToken): void {
  output.result(answer, () => {
    const { connection, token } = answer
    output.note(`address  ${connection.url}`)
    if (token === null) return output.line(`${connection.name} comes with tokens of the client ${connection.clientId}`)
    output.note(`shown once; works until ${showTime(connection.expiresAt) ?? ''}:`)
    output.line(token)
  })
}

async function add(invocation: Invocation, name: string, options: AddOptions): Promise<void> {
  const { expires, clientId, provider, linkBy } = options
  if (expires !== undefined && clientId !== undefined) {
    const hint = 'pass --expires for a token of its own, or --client-id'
    throw new CliFailure('usage', 'cli.scim-token', 'a directory comes with a token or as a client', hint)
  }
  const way = clientId === undefined ? { ttlSeconds: readDuration(expires ?? '365d') } : { clientId }
  const tied = { ...(provider === undefined ? {} : { provider }), ...(linkBy === undefined ? {} : { linkBy }) }
  tell(invocation, await scimApi(await invocation.signedIn()).add({ name, ...way, ...tied }))
}

async function rotate(invocation: Invocation, name: string, expires: string): Promise<void> {
  tell(invocation, await scimApi(await invocation.signedIn()).rotate(name, readDuration(expires)))
}

async function remove(invocation: Invocation, name: string, isSure: boolean): Promise<void> {
  await confirmOrRefuse(
    invocation,
    `Remove the directory ${name}? Its people stay and can still come in; the roles that its groups gave end.`,
    isSure,
  )
  const removed = await scimApi(await invocation.signedIn()).remove(name)
  const { output } = invocation
  output.result({ removed: name, ...removed }, () => {
    output.line(`removed ${name}; ${removed.people} people stay, as people of this installation`)
  })
}

function showChanges(counts: Readonly<Record<string, number>>): string {
  const shown = Object.entries(counts).map(([role, count]) => `${role} ${count}`)
  return shown.length === 0 ? 'nobody' : shown.join(', ')
}

function tellChanges({ output }: Invocation, changes: ScimRoleChanges): void {
  output.result(changes, () => {
    output.line(`given: ${showChanges(changes.added)}; taken: ${showChanges(changes.removed)}`)
  })
}

async function map(invocation: Invocation, name: string, options: MapOptions): Promise<void> {
  const { group, role, makeAdministrators = false } = options
  const asked = { group, role, makesAdministrators: makeAdministrators }
  tellChanges(invocation, await scimApi(await invocation.signedIn()).map(name, asked))
}

async function unmap(invocation: Invocation, name: string, { group, role }: MapOptions): Promise<void> {
  tellChanges(invocation, await scimApi(await invocation.signedIn()).unmap(name, { group, role }))
}

async function adopt(invocation: Invocation, name: string, person: string, userName?: string): Promise<void> {
  const body = { person, ...(userName === undefined ? {} : { userName }) }
  const adopted = await scimApi(await invocation.signedIn()).adopt(name, body)
  invocation.output.result(adopted, () => invocation.output.line(`${person} is ${adopted.userName} for ${name}`))
}

function declareMappings(command: Command, open: () => Invocation): void {
  command
    .command('map')
    .argument('<name>')
    .description('let the members of a group have a role')
    .requiredOption('--group <displayName>', 'the group, to the letter')
    .requiredOption('--role <role>', 'a role that is within your own rights')
    .option('--make-administrators', 'has to be said with --role admin')
    .action((name: string, options: MapOptions) => map(open(), name, options))
  command
    .command('unmap')
    .argument('<name>')
    .description('end that the members of a group have a role')
    .requiredOption('--group <displayName>', 'the group, to the letter')
    .requiredOption('--role <role>', 'the role')
    .action((name: string, options: MapOptions) => unmap(open(), name, options))
}

function declareConnections(command: Command, open: () => Invocation): void {
  command
    .command('list')
    .description('list the directories, and what their groups give')
    .action(() => list(open()))
  command
    .command('add')
    .argument('<name>')
    .description('let a directory provision people; prints its token once')
    .option('--expires <duration>', 'how long its token works, such as 365d')
    .option('--client-id <id>', 'no token: it comes with tokens of this OAuth client, of scope scim')
    .option('--provider <name>', 'the provider that its people sign in at')
    .option('--link-by <claim>', 'sub or oid equals externalId, or a verified email equals userName')
    .action((name: string, options: AddOptions) => add(open(), name, options))
  command
    .command('rotate')
    .argument('<name>')
    .description('print a new token once; the one before is worth nothing')
    .option('--expires <duration>', 'how long it works', '365d')
    .action((name: string, options: { expires: string }) => rotate(open(), name, options.expires))
  command
    .command('remove')
    .argument('<name>')
    .description('remove a directory; its people stay, the roles that its groups gave end')
    .option('--yes', 'do not ask')
    .action((name: string, options: { yes?: boolean }) => remove(open(), name, options.yes === true))
}

export const scim: CommandPlug = {
  examples: [
    'castellan scim add entra --expires 365d --provider works --link-by oid',
    'castellan scim list',
    'castellan scim map entra --group "MCP users" --role books-reader',
    'castellan scim adopt entra ben --user-name ben@example.com',
    'castellan scim rotate entra --expires 180d',
  ],
  declare(program, open) {
    const command = program.command('scim').description('directories that provision people and groups (SCIM 2.0)')
    declareConnections(command, open)
    declareMappings(command, open)
    command
      .command('adopt')
      .argument('<name>')
      .argument('<person>')
      .description('hand a person who is here over to a directory; never an administrator')
      .option('--user-name <userName>', 'what the directory calls them, where it is not their name here')
      .action((name: string, person: string, options: { userName?: string }) =>
        adopt(open(), name, person, options.userName),
      )
  },
}
