import { adminApi } from '../remote/api.ts'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'

async function list({ output, signedIn }: Invocation): Promise<void> {
  const bundles = await adminApi(await signedIn()).bundles.list()
  output.result(bundles, () =>
    output.table(
      bundles,
      [
        { title: 'NAME', cell: (one) => one.name, isFixed: true },
        { title: 'UPSTREAMS', cell: (one) => one.upstreams.join(', ') },
      ],
      'no bundles; make one with `castellan bundle add <name> <upstream>…`',
    ),
  )
}

async function add({ output, signedIn }: Invocation, name: string, upstreams: readonly string[]): Promise<void> {
  const added = await adminApi(await signedIn()).bundles.add({ name, upstreams })
  output.result(added, () => {
    output.line(`bundle ${added.name} has ${added.upstreams.join(', ')}`)
    output.note(`connect a client with \`castellan connect <client> --bundle ${added.name}\``)
  })
}

async function show({ output, signedIn }: Invocation, name: string): Promise<void> {
  const api = adminApi(await signedIn())
  const bundle = (await api.bundles.list()).find((one) => one.name === name)
  if (bundle === undefined) {
    throw new CliFailure(
      'notFound',
      'cli.no-such-bundle',
      `there is no bundle \`${name}\``,
      'see `castellan bundle list`',
    )
  }
  const { gatewayUrl } = await api.session.me()
  const url = new URL(`/bundles/${bundle.name}/mcp`, gatewayUrl).href
  output.result({ ...bundle, url }, () => {
    output.line(url)
    for (const upstream of bundle.upstreams) output.line(`  ${upstream}`)
  })
}

async function remove(invocation: Invocation, name: string, isSure: boolean): Promise<void> {
  await confirmOrRefuse(invocation, `Remove the bundle ${name}? Clients at its address are refused at once.`, isSure)
  await adminApi(await invocation.signedIn()).bundles.remove(name)
  invocation.output.result({ removed: name }, () => invocation.output.line(`removed ${name}`))
}

export const bundle: CommandPlug = {
  examples: [
    'castellan bundle add work notes files',
    'castellan bundle show work',
    'castellan connect vscode --bundle work',
    'castellan bundle list',
    'castellan bundle remove work',
  ],
  declare(program, open) {
    const command = program.command('bundle').description('upstreams that answer together at one address')

    command
      .command('list')
      .description('list the bundles')
      .action(() => list(open()))
    command
      .command('add')
      .argument('<name>')
      .argument('<upstreams...>', 'in the order in which their tools are listed')
      .description('make a bundle; it grants nobody anything')
      .action((name: string, upstreams: string[]) => add(open(), name, upstreams))
    command
      .command('show')
      .argument('<name>')
      .description('show the address of a bundle and what is in it')
      .action((name: string) => show(open(), name))
    command
      .command('remove')
      .argument('<name>')
      .description('remove a bundle; its upstreams stay')
      .option('--yes', 'do not ask')
      .action((name: string, options: { yes?: boolean }) => remove(open(), name, options.yes === true))
  },
}
