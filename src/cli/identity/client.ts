import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import type { Invocation } from '../invocation.ts'
import { clientApi, type OauthClient } from '../remote/client-api.ts'

const ways: Readonly<Record<OauthClient['registeredBy'], string>> = {
  administrator: 'an admin',
  'metadata-document': 'its document',
  registration: 'itself',
}

function stateOf({ isApproved, isBlocked }: OauthClient): string {
  if (isBlocked) return 'blocked'
  return isApproved ? 'known' : 'waits for approval'
}

async function list({ output, signedIn }: Invocation): Promise<void> {
  const clients = await clientApi(await signedIn()).list()
  output.result(clients, () =>
    output.table(
      clients,
      [
        { title: 'ID', cell: (one) => one.id, isFixed: true },
        { title: 'NAME', cell: (one) => one.name },
        { title: 'REGISTERED BY', cell: (one) => ways[one.registeredBy] },
        { title: 'ANSWERS GO TO', cell: (one) => one.redirectHosts.join(', ') },
        { title: 'STATE', cell: stateOf },
      ],
      'no OAuth clients; they register themselves, or `castellan client add` does it',
    ),
  )
}

interface AddOptions {
  readonly redirect?: string[]
  readonly personId?: string
}

async function add({ output, signedIn }: Invocation, name: string, options: AddOptions): Promise<void> {
  const { redirect = [], personId } = options
  const kind =
    personId === undefined
      ? ({ authentication: 'none', grantTypes: ['authorization_code', 'refresh_token'] } as const)
      : ({ authentication: 'client_secret_basic', grantTypes: ['client_credentials'], personId } as const)
  const added = await clientApi(await signedIn()).add({ name, redirectUris: redirect, ...kind })
  output.result(added, () => {
    output.line(`client ${added.client.id}`)
    if (added.secret === null) return
    output.line(`secret ${added.secret}`)
    output.note('the secret is shown once')
  })
}

async function decide(invocation: Invocation, id: string, verb: 'approve' | 'block'): Promise<void> {
  const client = await clientApi(await invocation.signedIn())[verb](id)
  invocation.output.result(client, () => invocation.output.line(`${client.name}: ${stateOf(client)}`))
}

async function block(invocation: Invocation, id: string, isSure: boolean): Promise<void> {
  await confirmOrRefuse(invocation, `Block the client ${id}? What it was granted ends at once.`, isSure)
  await decide(invocation, id, 'block')
}

export const client: CommandPlug = {
  examples: [
    'castellan client list',
    'castellan client add "Our portal" --redirect https://portal.example.com/callback',
    'castellan client add nightly --person-id <id>',
    'castellan client approve <id>',
    'castellan client block <id>',
  ],
  declare(program, open) {
    const command = program.command('client').description('OAuth clients: who may ask people for access')

    command
      .command('list')
      .description('list the clients, and how each became known')
      .action(() => list(open()))
    command
      .command('add')
      .argument('<name>', 'as people will read it')
      .description('register a client that people use, or one that acts for itself')
      .option('--redirect <url...>', 'where answers go to')
      .option('--person-id <id>', 'let it act for itself with the rights of this person; it gets a secret')
      .action((name: string, options: AddOptions) => add(open(), name, options))
    command
      .command('approve')
      .argument('<id>')
      .description('let a client come in that registered itself, or one that was blocked')
      .action((id: string) => decide(open(), id, 'approve'))
    command
      .command('block')
      .argument('<id>')
      .description('keep a client out; what it was granted ends at once')
      .option('--yes', 'do not ask')
      .action((id: string, options: { yes?: boolean }) => block(open(), id, options.yes === true))
  },
}
