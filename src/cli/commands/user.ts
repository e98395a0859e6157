import { adminApi, type Person } from '../remote/api.ts'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { showTime } from '../duration.ts'
import type { Invocation } from '../invocation.ts'
import { accessExamples, declareAccess } from '../tasks/end-access.ts'
import { declareRecovery, recoveryExamples } from '../tasks/recover-person.ts'
import type { Span } from '../terminal/table.ts'

function statusOf(person: Person): Span {
  return { text: person.status, tone: person.status === 'active' ? 'good' : 'warn' }
}

async function invite(
  invocation: Invocation,
  name: string,
  options: { displayName?: string; role?: string[] },
): Promise<void> {
  const { output } = invocation
  const { url, expiresAt } = await adminApi(await invocation.signedIn()).people.invite({
    name,
    ...(options.displayName === undefined ? {} : { displayName: options.displayName }),
    roles: options.role ?? [],
  })
  output.result({ name, url, expiresAt: showTime(expiresAt) }, () => {
    output.note(`send this link to ${name}; it works once, until ${showTime(expiresAt) ?? 'it is used'}:`)
    output.line(url)
  })
}

async function list({ output, signedIn }: Invocation): Promise<void> {
  const people = await adminApi(await signedIn()).people.list()
  output.result(people, () =>
    output.table(
      people,
      [
        { title: 'NAME', cell: (one) => one.name },
        { title: 'DISPLAY NAME', cell: (one) => one.displayName },
        { title: 'KIND', cell: (one) => one.kind, isFixed: true },
        { title: 'STATUS', cell: statusOf, isFixed: true },
        { title: 'ROLES', cell: (one) => one.roles.join(', ') },
        { title: 'SINCE', cell: (one) => one.createdAt.slice(0, 10), isFixed: true },
      ],
      'no people; invite one with `castellan user add <name> --role viewer`',
    ),
  )
}

async function show({ output, signedIn }: Invocation, name: string): Promise<void> {
  const person = await adminApi(await signedIn()).people.find(name)
  output.result(person, () =>
    output.facts([
      ['name', person.name],
      ['display name', person.displayName],
      ['id', person.id],
      ['kind', person.kind],
      ['status', statusOf(person)],
      ['roles', person.roles.join(', ') || 'none'],
      ['since', showTime(person.createdAt)],
    ]),
  )
}

type Change = 'suspend' | 'resume' | 'sign-out'

async function change(invocation: Invocation, verb: Change, name: string, isSure: boolean): Promise<void> {
  const questions = { suspend: `Suspend ${name}?`, 'sign-out': `End every session of ${name}?`, resume: '' }
  await confirmOrRefuse(invocation, questions[verb], isSure || verb === 'resume')
  const { people } = adminApi(await invocation.signedIn())
  await { suspend: people.suspend, resume: people.resume, 'sign-out': people.signOut }[verb](name)
  const said = { suspend: 'suspended', resume: 'resumed', 'sign-out': 'signed out' }[verb]
  invocation.output.result({ name, done: verb }, () => invocation.output.line(`${said} ${name}`))
}

export const user: CommandPlug = {
  examples: [
    'castellan user add bo --role viewer',
    'castellan user list',
    'castellan user suspend bo',
    'castellan user show bo',
    'castellan user resume bo',
    'castellan user sign-out bo --yes',
    ...recoveryExamples,
    ...accessExamples,
  ],
  declare(program, open) {
    const command = program.command('user').description('people: invite, look at, suspend, let in again')

    command
      .command('add')
      .argument('<name>')
      .description('invite a person; prints a link for them, good for one use')
      .option('--display-name <text>', 'how they are shown')
      .option('--role <role>', 'role from the start; repeat it', (role: string, all: string[] = []) => [...all, role])
      .action((name: string, options: { displayName?: string; role?: string[] }) => invite(open(), name, options))
    command
      .command('list')
      .description('list the people')
      .action(() => list(open()))
    command
      .command('show')
      .argument('<name>')
      .description('show one person')
      .action((name: string) => show(open(), name))
    declareRecovery(command, open)
    declareAccess(command, open)
    const verbs: readonly (readonly [Change, string])[] = [
      ['suspend', 'end what a person has open and let nothing new begin'],
      ['resume', 'let a suspended person in again'],
      ['sign-out', 'end every session of a person'],
    ]
    for (const [verb, says] of verbs) {
      command
        .command(verb)
        .argument('<name>')
        .description(says)
        .option('--yes', 'do not ask')
        .action((name: string, options: { yes?: boolean }) => change(open(), verb, name, options.yes === true))
    }
  },
}
