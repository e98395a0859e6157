import type { Command } from 'commander'
import { adminApi, type NewUpstream, type Upstream } from '../remote/api.ts'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { classify, type ClassifyOptions, withClassification } from '../tasks/classify-tools.ts'
import { approveTools, diffTools, quarantineTools, rejectTools, reviewTools } from '../tasks/review-tools.ts'

interface AddOptions {
  readonly stdio?: boolean
  readonly url?: string
  readonly env?: readonly string[]
}

function readEnvironment(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)] as const
      throw new CliFailure('usage', 'cli.bad-environment', `\`${pair}\` is not NAME=value`, 'write --env NAME=value')
    }),
  )
}

/** What is added, from the command line. @throws CliFailure `cli.upstream-kind` */
export function readNewUpstream(name: string, command: readonly string[], options: AddOptions): NewUpstream {
  const environment = readEnvironment(options.env ?? [])
  const extras = Object.keys(environment).length === 0 ? {} : { environment }
  if (options.url !== undefined && options.stdio !== true && command.length === 0) {
    return { name, url: options.url, ...extras }
  }
  if (options.url === undefined && options.stdio === true && command.length > 0) return { name, command, ...extras }
  const hint = `castellan upstream add ${name} --stdio -- npx -y <package>, or castellan upstream add ${name} --url https://…/mcp`
  throw new CliFailure(
    'usage',
    'cli.upstream-kind',
    'an upstream is either --stdio with a command after --, or --url',
    hint,
  )
}

function showsOf(upstream: Upstream): string {
  return upstream.url ?? (upstream.command ?? []).join(' ')
}

async function list({ output, signedIn }: Invocation): Promise<void> {
  const upstreams = await adminApi(await signedIn()).upstreams.list()
  output.result(upstreams, () =>
    output.table(
      upstreams,
      [
        { title: 'NAME', cell: (one) => one.name, isFixed: true },
        { title: 'TRANSPORT', cell: (one) => one.transport, isFixed: true },
        { title: 'REACHED BY', cell: showsOf },
        { title: 'DEMO', cell: (one) => (one.isDemo ? 'yes' : '') },
      ],
      'no upstreams; add one with `castellan upstream add <name> --stdio -- <command>`',
    ),
  )
}

async function add(invocation: Invocation, upstream: NewUpstream): Promise<void> {
  const added = await adminApi(await invocation.signedIn()).upstreams.add(upstream)
  invocation.output.result(added, () => {
    invocation.output.line(`added ${upstream.name}`)
    invocation.output.note(
      `next: \`castellan upstream review ${upstream.name}\`; nothing of it can be used until its tools are approved`,
    )
  })
}

async function remove(invocation: Invocation, name: string, isSure: boolean): Promise<void> {
  await confirmOrRefuse(invocation, `Remove the upstream ${name} and its approvals?`, isSure)
  await adminApi(await invocation.signedIn()).upstreams.remove(name)
  invocation.output.result({ removed: name }, () => invocation.output.line(`removed ${name}`))
}

interface ApproveOptions extends ClassifyOptions {
  readonly all?: boolean
  readonly despite?: readonly string[]
  readonly yes?: boolean
}

function declareTools(upstream: Command, open: () => Invocation): void {
  upstream
    .command('review')
    .argument('<name>')
    .description('ask the upstream for its tools and show what is new or changed')
    .option('--all', 'show approved tools in full too')
    .action((name: string, options: { all?: boolean }) => reviewTools(open(), name, options))
  upstream
    .command('diff')
    .argument('<name>')
    .argument('[tool]')
    .description('show field by field in what tools differ from what was approved')
    .action((name: string, tool?: string) => diffTools(open(), name, tool))
  withClassification(
    upstream
      .command('classify')
      .argument('<name>')
      .argument('[tools...]', 'approved tools; none for the server as a whole')
      .description('say what tools do at worst and what their answers hold'),
  ).action((name: string, tools: string[], options: ClassifyOptions) => classify(open(), name, { ...options, tools }))
  const approve = upstream
    .command('approve')
    .argument('<name>')
    .argument('[tools...]', 'names, or name@hash for exactly what was reviewed')
    .description('show tools as they were seen last, and approve them')
    .option('--all', 'every tool that waits and has no warning')
    .option(
      '--despite <warning>',
      'accept a warning, as review shows it; repeat it',
      (key: string, all: string[] = []) => [...all, key],
    )
    .option('--yes', 'do not ask')
  withClassification(approve).action((name: string, tools: string[], options: ApproveOptions) =>
    approveTools(open(), name, { ...options, tools }),
  )
  upstream
    .command('quarantine')
    .argument('<name>')
    .argument('<tools...>')
    .description('withdraw the approval of tools at once')
    .option('--note <text>', 'why, for whoever reviews them')
    .action((name: string, tools: string[], options: { note?: string }) =>
      quarantineTools(open(), name, { tools, ...options }),
    )
  upstream
    .command('reject')
    .argument('<name>')
    .argument('<tools...>')
    .description('refuse tools as they are now')
    .option('--yes', 'do not ask')
    .action((name: string, tools: string[], options: { yes?: boolean }) =>
      rejectTools(open(), name, { tools, ...options }),
    )
}

export const upstream: CommandPlug = {
  examples: [
    'castellan upstream add files --stdio -- npx -y @modelcontextprotocol/server-filesystem /srv/files',
    'castellan upstream add tickets --url https://tickets.example/mcp',
    'castellan upstream review files',
    'castellan upstream approve files read_text_file list_directory',
    'castellan upstream diff files',
    'castellan upstream classify files read_text_file --effect read --sensitivity confidential --no-outlet',
    'castellan upstream approve files read_text_file@4f2a9c01be77',
    'castellan upstream approve files readfile --despite looks-like:files/read_file',
    'castellan upstream quarantine files write_file --note "case 7"',
    'castellan upstream list',
    'castellan upstream approve files --all',
    'castellan upstream reject files write_file --yes',
    'castellan upstream remove files --yes',
  ],
  declare(program, open) {
    const command = program
      .command('upstream')
      .description('MCP servers behind castellan, and the approval of their tools')

    command
      .command('add')
      .argument('<name>')
      .argument('[command...]', 'after --: the program and its arguments, run without a shell')
      .description('put an MCP server behind castellan')
      .option('--stdio', 'a program that speaks MCP on stdin and stdout')
      .option('--url <url>', 'a Streamable HTTP server')
      .option('--env <name=value>', 'environment of the program; repeat it', (pair: string, all: string[] = []) => [
        ...all,
        pair,
      ])
      .action((name: string, words: string[], options: AddOptions) =>
        add(open(), readNewUpstream(name, words, options)),
      )
    command
      .command('list')
      .description('list the upstreams')
      .action(() => list(open()))
    declareTools(command, open)
    command
      .command('remove')
      .argument('<name>')
      .description('take an upstream away')
      .option('--yes', 'do not ask')
      .action((name: string, options: { yes?: boolean }) => remove(open(), name, options.yes === true))
  },
}
