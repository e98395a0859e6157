import { adminApi, type TokenView } from '../remote/api.ts'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { readCount, showTime } from '../duration.ts'
import type { Invocation } from '../invocation.ts'
import { readReached, resourceFor } from '../remote/resource.ts'
import type { Span } from '../terminal/table.ts'

interface CreateOptions {
  readonly upstream?: string
  readonly bundle?: string
  readonly all?: boolean
  readonly label: string
  readonly days: string
}

function stateOf(token: TokenView, nowMs: number): Span {
  if (token.revokedAt !== null) return { text: 'revoked', tone: 'bad' }
  return Date.parse(token.expiresAt) > nowMs ? { text: 'active', tone: 'good' } : { text: 'expired', tone: 'dim' }
}

/** The upstream in a resource such as `http://localhost:8090/servers/notes/mcp`; `bundle work` and `all` beside it. */
function reachedBy(resource: string): string {
  const found = /^https?:\/\/[^/]+(?:\/(servers|bundles)\/([^/]+))?\/mcp\/?$/.exec(resource)
  if (found === null) return resource
  const [, kind, name = ''] = found
  if (kind === undefined) return 'all'
  return kind === 'bundles' ? `bundle ${name}` : name
}

async function list({ output, signedIn, terminal }: Invocation, isAll: boolean): Promise<void> {
  const tokens = await adminApi(await signedIn()).tokens.list(isAll ? { all: 'true' } : {})
  const nowMs = terminal.now()
  output.result(tokens, () =>
    output.table(
      tokens,
      [
        { title: 'ID', cell: (one) => one.id, isFixed: true },
        { title: 'LABEL', cell: (one) => one.label },
        { title: 'STATE', cell: (one) => stateOf(one, nowMs), isFixed: true },
        { title: 'REACHES', cell: (one) => reachedBy(one.resource) },
        { title: 'EXPIRES', cell: (one) => one.expiresAt.slice(0, 10), isFixed: true },
      ],
      'no tokens; make one with `castellan connect <client>`',
    ),
  )
}

async function create(invocation: Invocation, options: CreateOptions): Promise<void> {
  const days = readCount(options.days, { name: '--days', min: 1, max: 365 })
  const reached = readReached(options)
  const api = adminApi(await invocation.signedIn())
  const resource = await resourceFor(api, reached)
  const { token, view } = await api.tokens.create({ label: options.label, resource, ttlSeconds: days * 86_400 })
  const { output } = invocation
  output.result({ token, id: view.id, resource, expiresAt: showTime(view.expiresAt) }, () => {
    output.note(`shown once; works for ${resource} until ${showTime(view.expiresAt) ?? 'it is revoked'}:`)
    output.line(token)
  })
}

async function revoke(invocation: Invocation, id: string, isSure: boolean): Promise<void> {
  await confirmOrRefuse(invocation, `Revoke the token ${id}? What uses it stops at once.`, isSure)
  await adminApi(await invocation.signedIn()).tokens.revoke(id)
  invocation.output.result({ revoked: id }, () => invocation.output.line(`revoked ${id}`))
}

export const token: CommandPlug = {
  examples: [
    'castellan token list',
    'castellan token create --upstream notes --label ci --days 7',
    'castellan token revoke <id>',
  ],
  declare(program, open) {
    const command = program.command('token').description('personal access tokens, each for one address')

    command
      .command('list')
      .description('list your tokens')
      .option('--all', 'of everyone')
      .action((options: { all?: boolean }) => list(open(), options.all === true))
    command
      .command('create')
      .description('make a token and print it once')
      .option('--upstream <name>', 'the one upstream it works for')
      .option('--bundle <name>', 'or the upstreams of a bundle, at its address')
      .option('--all', 'or every upstream that you may use, at `/mcp`')
      .option('--label <text>', 'what it is for', 'made with castellan token create')
      .option('--days <days>', 'how long it lasts', '30')
      .action((options: CreateOptions) => create(open(), options))
    command
      .command('revoke')
      .argument('<id>')
      .description('revoke a token; open streams of it end')
      .option('--yes', 'do not ask')
      .action((id: string, options: { yes?: boolean }) => revoke(open(), id, options.yes === true))
  },
}
