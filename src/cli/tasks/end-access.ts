import type { Command } from 'commander'
import { confirmOrRefuse } from '../confirm.ts'
import { showTime } from '../duration.ts'
import type { Invocation } from '../invocation.ts'
import { accessApi } from '../remote/access-api.ts'

async function sessions({ output, signedIn }: Invocation, name: string | undefined): Promise<void> {
  const open = await accessApi(await signedIn(), name).sessions()
  output.result(open, () =>
    output.table(
      open,
      [
        { title: 'ID', cell: (one) => one.id, isFixed: true },
        { title: 'FROM', cell: (one) => one.address },
        { title: 'WITH', cell: (one) => one.agent },
        { title: 'SINCE', cell: (one) => showTime(one.createdAt) ?? '', isFixed: true },
        { title: 'LAST SEEN', cell: (one) => showTime(one.lastSeenAt) ?? '', isFixed: true },
        { title: '', cell: (one) => (one.isCurrent ? 'this one' : '') },
      ],
      'no session is open',
    ),
  )
}

async function grants({ output, signedIn }: Invocation, name: string | undefined): Promise<void> {
  const held = await accessApi(await signedIn(), name).grants()
  output.result(held, () =>
    output.table(
      held,
      [
        { title: 'ID', cell: (one) => one.id, isFixed: true },
        { title: 'CLIENT', cell: (one) => one.clientName },
        { title: 'FOR', cell: (one) => one.resource },
        { title: 'SCOPES', cell: (one) => one.scopes.join(' ') },
        { title: 'SINCE', cell: (one) => showTime(one.createdAt) ?? '', isFixed: true },
        { title: 'UNTIL', cell: (one) => showTime(one.expiresAt) ?? '', isFixed: true },
      ],
      'no client or terminal may act',
    ),
  )
}

interface Ending {
  readonly name: string | undefined
  readonly id: string
  readonly isSure: boolean
}

async function endSession(invocation: Invocation, { name, id, isSure }: Ending): Promise<void> {
  await confirmOrRefuse(invocation, `End the session ${id}?`, isSure)
  await accessApi(await invocation.signedIn(), name).endSession(id)
  invocation.output.result({ ended: id }, () => invocation.output.line(`ended ${id}`))
}

async function endGrant(invocation: Invocation, { name, id, isSure }: Ending): Promise<void> {
  await confirmOrRefuse(invocation, `End the grant ${id}, with all its tokens?`, isSure)
  const ended = await accessApi(await invocation.signedIn(), name).endGrant(id)
  invocation.output.result(ended, () => invocation.output.line(`${ended.clientName} may act no longer`))
}

/** Examples of these, for the help of `castellan user`. */
export const accessExamples: readonly string[] = [
  'castellan user sessions bo',
  'castellan user end-session 0192f0c1-5a2b-7c3d-8e4f-0123456789ab --of bo --yes',
  'castellan user grants',
  'castellan user end-grant 0192f0c1-5a2b-7c3d-8e4f-0123456789ab',
]

interface EndOptions {
  readonly of?: string
  readonly yes?: boolean
}

/** What stands open for a person, and how it is ended. */
export function declareAccess(command: Command, open: () => Invocation): void {
  const lists = [
    ['sessions', sessions, 'list where a person is signed in'],
    ['grants', grants, 'list what a person lets OAuth clients and terminals do'],
  ] as const
  for (const [verb, run, says] of lists) {
    command
      .command(verb)
      .argument('[name]', 'of the person; you, unless given')
      .description(says)
      .action((name: string | undefined) => run(open(), name))
  }
  const ends = [
    ['end-session', endSession, 'sessions', 'end one session at once'],
    ['end-grant', endGrant, 'grants', 'end what a client or terminal may do, with all its tokens'],
  ] as const
  for (const [verb, run, list, says] of ends) {
    command
      .command(verb)
      .argument('<id>', `of \`castellan user ${list}\``)
      .description(says)
      .option('--of <name>', 'whose it is, where it is not yours')
      .option('--yes', 'do not ask')
      .action((id: string, { of: name, yes = false }: EndOptions) => run(open(), { name, id, isSure: yes }))
  }
}
