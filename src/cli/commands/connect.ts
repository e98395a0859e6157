import { hostname } from 'node:os'
import type { CommandPlug } from '../command.ts'
import { connectClients, makeSnippet, type Snippet } from '../tasks/connect-clients.ts'
import { readCount, showTime } from '../duration.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { signInWhenNeeded, withSignInOptions, type SignInOptions } from '../remote/sign-in.ts'
import { resourceOf } from '../remote/resource.ts'

interface ConnectOptions extends SignInOptions {
  readonly upstream: string
  readonly days: string
}

function show(
  { output }: Invocation,
  snippet: Snippet,
  facts: { resource: string; expiresAt: string | undefined },
): void {
  if (snippet.command !== undefined) {
    output.note({ text: `${snippet.title}: run this`, tone: 'strong' })
    output.line(snippet.command)
  }
  if (snippet.document !== undefined) {
    const where = `${snippet.command === undefined ? `${snippet.title}: put this` : 'or put this'} into ${snippet.file ?? 'its file'}`
    output.note({ text: where, tone: 'strong' })
    for (const line of JSON.stringify(snippet.document, null, 2).split('\n')) output.line(line)
  }
  output.note(`the token is shown once, works for ${facts.resource} only, until ${facts.expiresAt ?? 'it is revoked'}`)
  output.note(`next: ${snippet.next}; see the calls with \`castellan audit tail\``)
}

async function connectClient(invocation: Invocation, name: string, options: ConnectOptions): Promise<void> {
  const client = connectClients[name]
  if (client === undefined) {
    const hint = `it knows ${Object.keys(connectClients).join(', ')}`
    throw new CliFailure('usage', 'cli.unknown-client', `there is no client \`${name}\``, hint)
  }
  const days = readCount(options.days, { name: '--days', min: 1, max: 365 })
  const { api } = await signInWhenNeeded(invocation, options)
  const resource = await resourceOf(api, options.upstream)
  const { token, view } = await api.tokens.create({
    label: `${name} on ${hostname()}`.slice(0, 60),
    resource,
    ttlSeconds: days * 86_400,
  })
  const snippet = makeSnippet(name, client, { label: `castellan-${options.upstream}`, url: resource, token })
  const expiresAt = showTime(view.expiresAt)
  invocation.output.result({ ...snippet, resource, token, tokenId: view.id, expiresAt }, () =>
    show(invocation, snippet, { resource, expiresAt }),
  )
}

export const connect: CommandPlug = {
  examples: [
    'castellan connect inspector',
    'castellan connect claude-code --upstream files --days 7',
    'castellan connect vscode --json',
  ],
  declare(program, open) {
    withSignInOptions(
      program
        .command('connect')
        .argument('<client>', Object.keys(connectClients).join(' | '))
        .description('make a token for one upstream and print what a client needs')
        .option('--upstream <name>', 'upstream to connect to', 'notes')
        .option('--days <days>', 'how long the token lasts', '30'),
    ).action((client: string, options: ConnectOptions) => connectClient(open(), client, options))
  },
}
