import type { Command } from 'commander'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { readCount, showTime } from '../duration.ts'
import type { Invocation } from '../invocation.ts'
import { adminApi } from '../remote/api.ts'
import { type AccountVerb, type ServiceAccount, serviceAccountApi } from '../remote/service-account-api.ts'
import { readReached, resourceFor } from '../remote/resource.ts'
import type { Span } from '../terminal/table.ts'

const soonDays = 14

function stateOf({ state, daysLeft }: ServiceAccount): Span {
  if (state === 'active') return { text: state, tone: daysLeft < soonDays ? 'warn' : 'good' }
  return { text: state === 'unowned' ? 'no active owner' : state, tone: 'bad' }
}

function readDays(text: string | undefined): { days?: number } {
  return text === undefined ? {} : { days: readCount(text, { name: '--days', min: 1, max: 3_650 }) }
}

interface AddOptions {
  readonly owner: string
  readonly purpose: string
  readonly days?: string
  readonly role?: string[]
  readonly adminRead?: boolean
}

async function add({ output, signedIn }: Invocation, name: string, options: AddOptions): Promise<void> {
  const { owner, purpose, role: roles = [], adminRead: mayReadAdmin = false } = options
  const asked = { name, owner, purpose, roles, mayReadAdmin, ...readDays(options.days) }
  const added = await serviceAccountApi(await signedIn()).add(asked)
  output.result(added, () => {
    output.line(`added ${added.name}, owned by ${added.owner.name}, until ${showTime(added.expiresAt) ?? ''}`)
    output.note(`let it in with \`castellan service-account token ${added.name} --all\` or \`castellan client add\``)
  })
}

async function list({ output, signedIn }: Invocation): Promise<void> {
  const accounts = await serviceAccountApi(await signedIn()).list()
  output.result(accounts, () =>
    output.table(
      accounts,
      [
        { title: 'NAME', cell: (one) => one.name },
        { title: 'OWNER', cell: (one) => one.owner.name },
        { title: 'STATE', cell: stateOf, isFixed: true },
        { title: 'DAYS LEFT', cell: (one) => String(one.daysLeft), isFixed: true },
        { title: 'ROLES', cell: (one) => one.roles.join(', ') },
        { title: 'PURPOSE', cell: (one) => one.purpose },
      ],
      'no service accounts; make one with `castellan service-account add <name> --owner <person> --purpose <text>`',
    ),
  )
}

async function show({ output, signedIn }: Invocation, name: string): Promise<void> {
  const account = await serviceAccountApi(await signedIn()).find(name)
  const tokens = account.tokens.filter(({ revokedAt }) => revokedAt === null)
  output.result(account, () =>
    output.facts([
      ['name', account.name],
      ['purpose', account.purpose],
      ['id', account.id],
      ['owner', account.owner.name],
      ['state', stateOf(account)],
      ['until', `${showTime(account.expiresAt) ?? ''} (${account.daysLeft} days)`],
      ['roles', account.roles.join(', ') || 'none'],
      ['admin API', account.mayReadAdmin ? 'may read' : 'none'],
      ['tokens', tokens.map(({ id, label }) => `${label} (${id})`).join(', ') || 'none'],
      ['clients', account.clients.map((one) => `${one.name} (${one.id})`).join(', ') || 'none'],
    ]),
  )
}

async function renew({ output, signedIn }: Invocation, name: string, days?: string): Promise<void> {
  const renewed = await serviceAccountApi(await signedIn()).renew(name, readDays(days).days)
  output.result(renewed, () => output.line(`${renewed.name} goes on until ${showTime(renewed.expiresAt) ?? ''}`))
}

async function assign({ output, signedIn }: Invocation, name: string, owner: string): Promise<void> {
  const assigned = await serviceAccountApi(await signedIn()).assign(name, owner)
  output.result(assigned, () => {
    output.line(`${assigned.owner.name} answers for ${assigned.name}`)
    output.note('tokens that the former owner made have ended')
  })
}

const questions: Readonly<Record<AccountVerb, string>> = {
  suspend: 'Its tokens end at once. Suspend',
  resume: '',
  remove: 'Its tokens, roles and OAuth clients end for good. Remove',
}
const said: Readonly<Record<AccountVerb, string>> = { suspend: 'suspended', resume: 'resumed', remove: 'removed' }

async function change(invocation: Invocation, verb: AccountVerb, of: { name: string; isSure: boolean }) {
  const { name, isSure } = of
  await confirmOrRefuse(invocation, `${questions[verb]} ${name}?`, isSure || verb === 'resume')
  const changed = await serviceAccountApi(await invocation.signedIn()).change(name, verb)
  invocation.output.result(changed, () => invocation.output.line(`${said[verb]} ${name}`))
}

interface TokenOptions {
  readonly upstream?: string
  readonly bundle?: string
  readonly all?: boolean
  readonly admin?: boolean
  readonly label: string
  readonly days: string
}

async function token(invocation: Invocation, name: string, options: TokenOptions): Promise<void> {
  const days = readCount(options.days, { name: '--days', min: 1, max: 365 })
  const reached = readReached(options)
  const client = await invocation.signedIn()
  const resource = reached === 'admin' ? reached : await resourceFor(adminApi(client), reached)
  const asked = { label: options.label, resource, ttlSeconds: days * 86_400 }
  const made = await serviceAccountApi(client).mint(name, asked)
  const { output } = invocation
  const { id, expiresAt } = made.view
  const told = { token: made.token, id, resource: made.view.resource, expiresAt: showTime(expiresAt) }
  output.result(told, () => {
    output.note(`shown once; works for ${told.resource} until ${told.expiresAt ?? 'it is revoked'}:`)
    output.line(made.token)
  })
}

function declareToken(command: Command, open: () => Invocation): void {
  command
    .command('token')
    .argument('<name>')
    .description('make an access token of a service account and print it once; it ends no later than the account')
    .option('--upstream <name>', 'the one upstream it works for')
    .option('--bundle <name>', 'or the upstreams of a bundle, at its address')
    .option('--all', 'or every upstream that the account may use, at `/mcp`')
    .option('--admin', 'or the admin API, to read what its roles grant there')
    .option('--label <text>', 'what it is for', 'made with castellan service-account token')
    .option('--days <days>', 'how long it lasts', '30')
    .action((name: string, options: TokenOptions) => token(open(), name, options))
}

function declareAdd(command: Command, open: () => Invocation): void {
  command
    .command('add')
    .argument('<name>')
    .description('make a service account; somebody answers for it, and it has an end')
    .requiredOption('--owner <person>', 'who answers for it')
    .requiredOption('--purpose <text>', 'what it is for')
    .option('--days <days>', 'how long it goes on: 90 days unless told')
    .option('--role <role...>', 'what it may do; nothing that you may not')
    .option('--admin-read', 'let it have roles that read by the admin API; it never changes anything there')
    .action((name: string, options: AddOptions) => add(open(), name, options))
}

function declareChanges(command: Command, open: () => Invocation): void {
  command
    .command('renew')
    .argument('<name>')
    .description('move its end, also after it; its owner may, too')
    .option('--days <days>', 'from this moment: 90 days unless told')
    .action((name: string, options: { days?: string }) => renew(open(), name, options.days))
  command
    .command('assign')
    .argument('<name>')
    .argument('<person>')
    .description('give it another owner; tokens that the former one made end')
    .action((name: string, person: string) => assign(open(), name, person))
  const verbs: readonly (readonly [AccountVerb, string])[] = [
    ['suspend', 'stop it from the next request on; its owner may, too'],
    ['resume', 'let it act again; tokens that were ended stay ended'],
    ['remove', 'end it for good, with its tokens, roles and OAuth clients'],
  ]
  for (const [verb, says] of verbs) {
    command
      .command(verb)
      .argument('<name>')
      .description(says)
      .option('--yes', 'do not ask')
      .action((name: string, options: { yes?: boolean }) =>
        change(open(), verb, { name, isSure: options.yes === true }),
      )
  }
}

export const serviceAccount: CommandPlug = {
  examples: [
    'castellan service-account add nightly --owner bo --purpose "sorts what came in at night" --role books-reader',
    'castellan service-account list',
    'castellan service-account show nightly',
    'castellan service-account token nightly --upstream books --days 30',
    'castellan service-account renew nightly --days 90',
    'castellan service-account assign nightly eve',
    'castellan service-account suspend nightly --yes',
    'castellan service-account resume nightly',
    'castellan service-account remove nightly --yes',
  ],
  declare(program, open) {
    const command = program
      .command('service-account')
      .description('programs that act with nobody at a keyboard, and who answers for each')
    declareAdd(command, open)
    command
      .command('list')
      .description('list the service accounts, the next to end first')
      .action(() => list(open()))
    command
      .command('show')
      .argument('<name>')
      .description('show one service account with its tokens and OAuth clients')
      .action((name: string) => show(open(), name))
    declareChanges(command, open)
    declareToken(command, open)
  },
}
