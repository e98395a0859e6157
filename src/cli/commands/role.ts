import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { adminApi, type Grant, type Role } from '../remote/api.ts'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'

interface PutOptions {
  readonly description?: string
  readonly grant?: readonly string[]
  readonly stepUp?: readonly string[]
  readonly file?: string
}

/**
 * Reads `tools:call,servers:use on notes,notes/tools/*`.
 * @throws CliFailure `cli.bad-grant`
 */
export function readGrant(text: string): Grant {
  const [permissions, resources, ...rest] = text.split(/\s+on\s+/)
  const words = (part: string | undefined): string[] =>
    (part ?? '')
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '')
  if (rest.length === 0 && words(permissions).length > 0 && words(resources).length > 0) {
    return { permissions: words(permissions), resources: words(resources) }
  }
  const hint = "write --grant 'servers:use,tools:call on notes,notes/tools/*'"
  throw new CliFailure('usage', 'cli.bad-grant', `\`${text}\` is not a grant`, hint)
}

function readRoleFile(path: string): { description?: string; grants?: Grant[] } {
  try {
    return JSON.parse(readFileSync(path === '-' ? 0 : path, 'utf8')) as { description?: string; grants?: Grant[] }
  } catch (error) {
    const says = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read'
    const hint = 'give a file with {"description": …, "grants": [{"permissions": […], "resources": […]}]}'
    throw new CliFailure('usage', 'cli.role-file', `the role file \`${path}\` ${says}`, hint)
  }
}

function grantText({ permissions, resources, stepUp }: Grant): string {
  return `${permissions.join(',')} on ${resources.join(',')}${stepUp === true ? ' with a fresh factor' : ''}`
}

function stepUpGrant(text: string): Grant {
  return { ...readGrant(text), stepUp: true }
}

async function list({ output, signedIn }: Invocation): Promise<void> {
  const roles = await adminApi(await signedIn()).roles.list()
  output.result(roles, () =>
    output.table(
      roles,
      [
        { title: 'NAME', cell: (one) => one.name, isFixed: true },
        { title: 'SHIPPED', cell: (one) => (one.isShipped ? 'yes' : ''), isFixed: true },
        { title: 'GRANTS', cell: (one) => one.grants.map(grantText).join('; ') },
        { title: 'DESCRIPTION', cell: (one) => one.description },
      ],
      'no roles; make one with `castellan role put <name> --grant <grant>`',
    ),
  )
}

async function findRole({ signedIn }: Invocation, name: string): Promise<Role> {
  const role = (await adminApi(await signedIn()).roles.list()).find((one) => one.name === name)
  if (role !== undefined) return role
  throw new CliFailure('notFound', 'cli.unknown-role', `there is no role \`${name}\``, 'see `castellan role list`')
}

async function show(invocation: Invocation, name: string): Promise<void> {
  const role = await findRole(invocation, name)
  invocation.output.result(role, () =>
    invocation.output.facts([
      ['name', role.name],
      ['description', role.description],
      ['shipped', role.isShipped ? 'yes' : 'no'],
      ...role.grants.map((grant) => ['grant', grantText(grant)] as const),
    ]),
  )
}

async function put(invocation: Invocation, name: string, options: PutOptions): Promise<void> {
  const file = options.file === undefined ? {} : readRoleFile(options.file)
  const { grant = [], stepUp = [] } = options
  const grants = [...(file.grants ?? []), ...grant.map(readGrant), ...stepUp.map(stepUpGrant)]
  if (grants.length === 0) {
    throw new CliFailure('usage', 'cli.bad-grant', 'a role needs at least one grant', 'pass --grant or --file')
  }
  await adminApi(await invocation.signedIn()).roles.put(name, {
    description: options.description ?? file.description ?? '',
    grants,
  })
  invocation.output.result({ name, grants }, () => invocation.output.line(`role ${name} is in force`))
}

async function remove(invocation: Invocation, name: string, isSure: boolean): Promise<void> {
  await confirmOrRefuse(invocation, `Remove the role ${name} from everyone who has it?`, isSure)
  await adminApi(await invocation.signedIn()).roles.remove(name)
  invocation.output.result({ removed: name }, () => invocation.output.line(`removed ${name}`))
}

async function grantOrRevoke(
  invocation: Invocation,
  verb: 'grant' | 'revoke',
  { role, person, isSure }: { role: string; person: string; isSure: boolean },
): Promise<void> {
  if (verb === 'revoke') await confirmOrRefuse(invocation, `Take the role ${role} from ${person}?`, isSure)
  await adminApi(await invocation.signedIn()).people[verb](person, role)
  const said = verb === 'grant' ? `${person} has the role ${role}` : `${person} no longer has the role ${role}`
  invocation.output.result({ role, person, done: verb }, () => invocation.output.line(said))
}

function declareMembership(command: Command, open: () => Invocation): void {
  command
    .command('grant')
    .argument('<role>')
    .argument('<person>')
    .description('give a role to a person')
    .action((role: string, person: string) => grantOrRevoke(open(), 'grant', { role, person, isSure: true }))
  command
    .command('revoke')
    .argument('<role>')
    .argument('<person>')
    .description('take a role from a person')
    .option('--yes', 'do not ask')
    .action((role: string, person: string, options: { yes?: boolean }) =>
      grantOrRevoke(open(), 'revoke', { role, person, isSure: options.yes === true }),
    )
}

function collect(text: string, all: string[] = []): string[] {
  return [...all, text]
}

export const role: CommandPlug = {
  examples: [
    'castellan role list',
    "castellan role put files-reader --description 'reads files' --grant 'servers:use on files' --grant 'tools:call on files/tools/read_text_file'",
    "castellan role put payer --grant 'servers:use on bank' --step-up 'tools:call on bank/tools/pay'",
    'castellan role grant files-reader bo',
    'castellan role show files-reader',
    'castellan role remove files-reader --yes',
    'castellan role revoke files-reader bo --yes',
  ],
  declare(program, open) {
    const command = program.command('role').description('what people may do, and who has which role')

    command
      .command('list')
      .description('list the roles')
      .action(() => list(open()))
    command
      .command('show')
      .argument('<name>')
      .description('show one role')
      .action((name: string) => show(open(), name))
    command
      .command('put')
      .argument('<name>')
      .description('make a role, or replace it')
      .option('--description <text>', 'what it is for')
      .option('--grant <grant>', "'<permissions> on <resources>'; repeat it", collect)
      .option('--step-up <grant>', 'the same, with a fresh factor for each single call; repeat it', collect)
      .option('--file <file>', 'JSON with description and grants; - for stdin')
      .action((name: string, options: PutOptions) => put(open(), name, options))
    command
      .command('remove')
      .argument('<name>')
      .description('remove a role')
      .option('--yes', 'do not ask')
      .action((name: string, options: { yes?: boolean }) => remove(open(), name, options.yes === true))
    declareMembership(command, open)
  },
}
