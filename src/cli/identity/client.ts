import { Option } from 'commander'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import type { Invocation } from '../invocation.ts'
import { clientApi, type NewOauthClient, type OauthClient } from '../remote/client-api.ts'
import { serviceAccountApi } from '../remote/service-account-api.ts'

const ways: Readonly<Record<OauthClient['registeredBy'], string>> = {
  administrator: 'an admin',
  'built-in': 'castellan itself',
  'metadata-document': 'its document',
  registration: 'itself',
}

function stateOf({ isApproved, isBlocked, actsAsPerson }: OauthClient): string {
  if (isBlocked) return 'blocked'
  if (actsAsPerson) return 'refused: acts as a person'
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
  readonly serviceAccount?: string
  readonly grant?: 'token-exchange'
  readonly resource?: string[]
}

const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** What the client is for, as the API wants to be told. */
function kindOf(
  { grant, resource }: AddOptions,
  personId: string | undefined,
): Omit<NewOauthClient, 'name' | 'redirectUris'> {
  if (personId === undefined && grant === undefined && resource === undefined) {
    return { authentication: 'none', grantTypes: ['authorization_code', 'refresh_token'] }
  }
  const grantTypes = [
    ...(personId === undefined ? [] : ['client_credentials']),
    ...(grant === undefined ? [] : [exchangeGrant]),
  ]
  const exchangeResources = resource === undefined ? {} : { exchangeResources: resource }
  const actsAs = personId === undefined ? {} : { personId }
  return { authentication: 'client_secret_basic', grantTypes, ...actsAs, ...exchangeResources }
}

async function add({ output, signedIn }: Invocation, name: string, options: AddOptions): Promise<void> {
  const { redirect = [], serviceAccount } = options
  const remote = await signedIn()
  const actsAs = serviceAccount === undefined ? undefined : await serviceAccountApi(remote).find(serviceAccount)
  const added = await clientApi(remote).add({ name, redirectUris: redirect, ...kindOf(options, actsAs?.id) })
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

async function withdrawKey(invocation: Invocation, id: string, key: string, isSure: boolean): Promise<void> {
  await confirmOrRefuse(invocation, `Withdraw the key ${key} of ${id}? What the client was given ends at once.`, isSure)
  const left = await clientApi(await invocation.signedIn()).withdrawKey(id, key)
  invocation.output.result(left, () => invocation.output.line(`${left.name}: ${left.keysLeft} keys left`))
}

export const client: CommandPlug = {
  examples: [
    'castellan client list',
    'castellan client add "Our portal" --redirect https://portal.example.com/callback',
    'castellan client add nightly --service-account nightly',
    'castellan client add agents --grant token-exchange --resource https://castellan.example.com/servers/books/mcp',
    'castellan client approve <id>',
    'castellan client block <id>',
    'castellan client withdraw-key <id> <kid>',
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
      .option('--service-account <name>', 'let it act for itself as this service account; it gets a secret')
      .addOption(
        new Option('--grant <grant>', 'let it exchange tokens of people for tokens for other servers').choices([
          'token-exchange',
        ]),
      )
      .option('--resource <url...>', 'with token exchange: the MCP servers it may ask for, by their full addresses')
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
    command
      .command('withdraw-key')
      .argument('<id>')
      .argument('<kid>', 'of the key in the key set of the client')
      .description('take a key from a client; what it was given ends at once, and it goes on with its other keys')
      .option('--yes', 'do not ask')
      .action((id: string, key: string, options: { yes?: boolean }) =>
        withdrawKey(open(), id, key, options.yes === true),
      )
  },
}
