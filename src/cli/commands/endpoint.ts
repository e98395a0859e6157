import { adminApi, type Endpoint } from '../remote/api.ts'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import type { Span } from '../terminal/table.ts'

interface AddOptions {
  readonly url: string
  readonly weight?: string
  readonly region?: string
}

function healthOf({ isHealthy }: Endpoint): Span {
  return isHealthy ? { text: 'healthy', tone: 'good' } : { text: 'unhealthy', tone: 'bad' }
}

function breakerOf({ breaker, waitSeconds }: Endpoint): Span {
  if (breaker === 'closed') return { text: 'closed', tone: 'good' }
  return { text: breaker === 'open' ? `open for ${waitSeconds} s` : 'half-open', tone: 'bad' }
}

function show({ output }: Invocation, endpoints: readonly Endpoint[]): void {
  output.result(endpoints, () =>
    output.table(
      endpoints,
      [
        { title: 'ID', cell: (one) => one.id, isFixed: true },
        { title: 'URL', cell: (one) => one.url },
        { title: 'WEIGHT', cell: (one) => String(one.weight), isFixed: true },
        { title: 'REGION', cell: (one) => one.region ?? '', isFixed: true },
        { title: 'HEALTH', cell: healthOf, isFixed: true },
        { title: 'BREAKER', cell: breakerOf, isFixed: true },
        { title: 'CALLS', cell: (one) => String(one.callsUnderWay), isFixed: true },
      ],
      'no endpoints: a command has none',
    ),
  )
}

/** @throws CliFailure `cli.bad-weight` */
export function readWeight(written: string | undefined): number | undefined {
  if (written === undefined) return undefined
  if (/^[1-9]\d{0,2}$/.test(written)) return Number(written)
  throw new CliFailure(
    'usage',
    'cli.bad-weight',
    `\`${written}\` is not a weight`,
    'write a whole number from 1 to 100',
  )
}

async function add(invocation: Invocation, upstream: string, { url, weight, region }: AddOptions): Promise<void> {
  const share = readWeight(weight)
  const added = await adminApi(await invocation.signedIn()).endpoints.add(upstream, {
    url,
    ...(share === undefined ? {} : { weight: share }),
    ...(region === undefined ? {} : { region }),
  })
  invocation.output.result(added, () => invocation.output.line(`added endpoint ${added.id} to ${upstream}`))
}

async function remove(
  invocation: Invocation,
  { upstream, id }: { upstream: string; id: string },
  isSure: boolean,
): Promise<void> {
  await confirmOrRefuse(invocation, `Remove the endpoint ${id} of ${upstream}? Its sessions end.`, isSure)
  await adminApi(await invocation.signedIn()).endpoints.remove(upstream, id)
  invocation.output.result({ removed: id }, () => invocation.output.line(`removed ${id}`))
}

export const endpoint: CommandPlug = {
  examples: [
    'castellan endpoint list tickets',
    'castellan endpoint add tickets --url https://eu.tickets.example/mcp --weight 2 --region eu',
    'castellan endpoint check tickets',
    'castellan endpoint remove tickets k3f9x2ab --yes',
  ],
  declare(program, open) {
    const command = program.command('endpoint').description('addresses at which one upstream answers, and how they are')

    command
      .command('list')
      .argument('<upstream>')
      .description('list the endpoints of an upstream, as the asked process sees them')
      .action(async (upstream: string) => {
        const invocation = open()
        show(invocation, await adminApi(await invocation.signedIn()).endpoints.list(upstream))
      })
    command
      .command('add')
      .argument('<upstream>')
      .description('give an upstream one more address of the same server')
      .requiredOption('--url <url>', 'where it answers over Streamable HTTP')
      .option('--weight <1-100>', 'its share of the calls against the others')
      .option('--region <name>', 'where it is; gateways of that region prefer it')
      .action((upstream: string, options: AddOptions) => add(open(), upstream, options))
    command
      .command('check')
      .argument('<upstream>')
      .description('ask every endpoint at once whether it is alive')
      .action(async (upstream: string) => {
        const invocation = open()
        show(invocation, await adminApi(await invocation.signedIn()).endpoints.check(upstream))
      })
    command
      .command('remove')
      .argument('<upstream>')
      .argument('<id>')
      .description('take an endpoint away; calls under way there are finished')
      .option('--yes', 'do not ask')
      .action((upstream: string, id: string, options: { yes?: boolean }) =>
        remove(open(), { upstream, id }, options.yes === true),
      )
  },
}
