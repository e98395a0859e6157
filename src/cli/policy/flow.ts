import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { showTime } from '../duration.ts'
import type { Invocation } from '../invocation.ts'
import { base, itemsOf, segment } from '../remote/api.ts'

interface GatheredLabel {
  readonly bearer: string
  readonly label: string
  readonly upstream: string
  readonly kind: string
  readonly name: string | null
  readonly addedAt: string
}

async function show({ signedIn, output }: Invocation, person: string): Promise<void> {
  const { call } = await signedIn()
  const labels = itemsOf<GatheredLabel>(await call('GET', `${base}/people/${segment(person)}/flow`))
  output.result(labels, () =>
    output.table(
      labels,
      [
        { title: 'CLIENT', cell: (one) => one.bearer },
        { title: 'LABEL', cell: (one) => one.label },
        { title: 'MET AT', cell: (one) => `${one.upstream}${one.name === null ? '' : ` ${one.kind} ${one.name}`}` },
        { title: 'SINCE', cell: (one) => showTime(one.addedAt) ?? '', isFixed: true },
      ],
      'nothing that counts has been met',
    ),
  )
}

interface ResetOptions {
  readonly client?: string
  readonly reason: string
  readonly yes?: boolean
}

async function reset(invocation: Invocation, person: string, { client, reason, yes }: ResetOptions): Promise<void> {
  const { call } = await invocation.signedIn()
  const what = client === undefined ? `everything that the clients of ${person} have met` : `what ${client} has met`
  await confirmOrRefuse(invocation, `Set back ${what}?`, yes === true)
  const body = client === undefined ? { reason } : { reason, bearer: client }
  const answer = (await call('POST', `${base}/people/${segment(person)}/flow/reset`, { body })) as { removed: number }
  invocation.output.result(answer, () => invocation.output.line(`set back ${answer.removed} labels`))
}

export const flow: CommandPlug = {
  examples: [
    'castellan flow show ben',
    "castellan flow reset ben --reason 'case 12 closed'",
    "castellan flow reset ben --client tokens --reason 'laptop was set up anew'",
  ],
  declare(program, open) {
    const command = program.command('flow').description('what clients have met, which rules can go by')
    command
      .command('show')
      .argument('<person>')
      .description('list the labels that the clients of a person have gathered')
      .action((person: string) => show(open(), person))
    command
      .command('reset')
      .argument('<person>')
      .description('set them back, for somebody else; it is on record')
      .option('--client <client>', 'of one client only, as `show` names it')
      .requiredOption('--reason <text>', 'why what was met does not count any more')
      .option('--yes', 'do not ask')
      .action((person: string, options: ResetOptions) => reset(open(), person, options))
  },
}
