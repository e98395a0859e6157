import type { Command } from 'commander'
import { confirmOrRefuse } from '../confirm.ts'
import { showTime } from '../duration.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { type Lost, recoveryApi, type ResetStep } from '../remote/recovery-api.ts'

async function api({ signedIn }: Invocation) {
  return recoveryApi(await signedIn())
}

async function factors(invocation: Invocation, name: string): Promise<void> {
  const { output } = invocation
  const own = await (await api(invocation)).factors(name)
  output.result(own, () =>
    output.table(
      own,
      [
        { title: 'ID', cell: (one) => one.id, isFixed: true },
        { title: 'KIND', cell: (one) => one.kind, isFixed: true },
        { title: 'NAME', cell: (one) => one.name },
        { title: 'SINCE', cell: (one) => one.createdAt?.slice(0, 10) ?? '', isFixed: true },
        { title: 'LAST USED', cell: (one) => one.lastUsedAt?.slice(0, 10) ?? '', isFixed: true },
      ],
      `${name} has nothing to prove themselves with; they have not used their invitation`,
    ),
  )
}

async function revokeFactor(invocation: Invocation, name: string, id: string, isSure: boolean): Promise<void> {
  await confirmOrRefuse(invocation, `Take this factor from ${name} and end their sessions?`, isSure)
  await (await api(invocation)).revoke(name, id)
  invocation.output.result({ name, revoked: id }, () => invocation.output.line(`${name} cannot use it any more`))
}

function showStep({ output }: Invocation, step: ResetStep): void {
  const { reset, link } = step
  output.result(step, () => {
    if (link === null) {
      const missing = reset.approvalsNeeded - reset.approvedBy.length
      output.note(`${missing} more administrator has to agree, until ${showTime(reset.expiresAt) ?? ''}:`)
      output.line(`castellan user approve-reset ${reset.id}`)
      return
    }
    const { name } = reset.person
    output.note(`give this link to ${name} yourself; it works once, until ${showTime(link.expiresAt) ?? 'it is used'}:`)
    output.line(link.url)
  })
}

function readLost(lost: string): Lost {
  if (lost === 'password' || lost === 'factors') return `${lost}-lost`
  const hint = 'say --lost password when they still have an authenticator or recovery code, else --lost factors'
  throw new CliFailure('usage', 'cli.bad-reset', `\`${lost}\` is not what a person can have lost`, hint)
}

async function start(invocation: Invocation, name: string, options: { lost: string; reason: string; yes?: boolean }) {
  const kind = readLost(options.lost)
  await confirmOrRefuse(invocation, `Let ${name} in again, with everything they have open ended?`, options.yes === true)
  showStep(invocation, await (await api(invocation)).start(name, { kind, reason: options.reason }))
}

async function list(invocation: Invocation): Promise<void> {
  const { output } = invocation
  const open = await (await api(invocation)).list()
  output.result(open, () =>
    output.table(
      open,
      [
        { title: 'ID', cell: (one) => one.id, isFixed: true },
        { title: 'PERSON', cell: (one) => one.person.name },
        { title: 'LOST', cell: (one) => one.kind.replace('-lost', ''), isFixed: true },
        { title: 'AGREED', cell: (one) => `${one.approvedBy.length} of ${one.approvalsNeeded}`, isFixed: true },
        { title: 'UNTIL', cell: (one) => showTime(one.expiresAt) ?? '', isFixed: true },
        { title: 'REASON', cell: (one) => one.reason },
      ],
      'no reset waits for anything',
    ),
  )
}

async function approve(invocation: Invocation, id: string, isSure: boolean): Promise<void> {
  const question = 'Have you made sure yourself that the person who asks is who they say?'
  await confirmOrRefuse(invocation, question, isSure)
  showStep(invocation, await (await api(invocation)).approve(id))
}

async function cancel(invocation: Invocation, id: string): Promise<void> {
  await (await api(invocation)).cancel(id)
  invocation.output.result({ cancelled: id }, () => invocation.output.line('the reset is cancelled'))
}

/** Examples of these, for the help of `castellan user`. */
export const recoveryExamples: readonly string[] = [
  'castellan user factors bo',
  'castellan user revoke-factor bo recovery-codes --yes',
  'castellan user reset bo --lost password --reason "called, known voice"',
  'castellan user resets',
  'castellan user approve-reset 0192f0c1-5a2b-7c3d-8e4f-0123456789ab',
  'castellan user cancel-reset 0192f0c1-5a2b-7c3d-8e4f-0123456789ab',
]

/** What administrators do about factors that were lost. */
export function declareRecovery(command: Command, open: () => Invocation): void {
  command
    .command('factors')
    .argument('<name>')
    .description('list what a person can prove themselves with')
    .action((name: string) => factors(open(), name))
  command
    .command('revoke-factor')
    .argument('<name>')
    .argument('<id>', 'of `castellan user factors`')
    .description('take one factor from a person, such as a lost device, and end their sessions')
    .option('--yes', 'do not ask')
    .action((name: string, id: string, options: { yes?: boolean }) =>
      revokeFactor(open(), name, id, options.yes === true),
    )
  command
    .command('reset')
    .argument('<name>')
    .description('let a person in again who lost something; for an administrator who lost all factors it takes two')
    .requiredOption('--lost <what>', '`password`: they prove a factor that is left; `factors`: nothing is left')
    .requiredOption('--reason <text>', 'how you made sure who they are; kept')
    .option('--yes', 'do not ask')
    .action((name: string, options: { lost: string; reason: string; yes?: boolean }) => start(open(), name, options))
  command
    .command('resets')
    .description('list resets that wait for an administrator or their person')
    .action(() => list(open()))
  command
    .command('approve-reset')
    .argument('<id>')
    .description('agree to the reset of an administrator that another administrator started')
    .option('--yes', 'do not ask')
    .action((id: string, options: { yes?: boolean }) => approve(open(), id, options.yes === true))
  command
    .command('cancel-reset')
    .argument('<id>')
    .description('cancel a reset')
    .action((id: string) => cancel(open(), id))
}
