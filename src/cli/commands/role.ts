import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { adminApi, type Grant, type Role } from '../remote/api.ts'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'

interface PutOptions {
  readonly description?: string
  readonly owner?: string
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

interface RoleFile {
  readonly description?: string
  readonly owner?: string
  readonly grants?: Grant[]
}

function readRoleFile(path: string): RoleFile {
  try {
    return JSON.parse(readFileSync(path === '-' ? 0 : path, 'utf8')) as RoleFile
  } catch (error) {
    const says = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read'
    const hint = 'give a file with {"description": …, "grants": [{"permissions": […], "resources": […]}]}'
    throw new CliFailure('usage', 'cli.role-file', `the role file \`${path}\` ${says}`, hint)
  }
}

function grantText({ permissions, resources, stepUp, when }: Grant): string {
  const demand = stepUp === true ? ' with a fresh factor' : ''
  return `${permissions.join(',')} on ${resources.join(',')}${demand}${when === undefined ? '' : ` when ${when}`}`
}

/** An option of a grant, in the order in which they were written. */
interface Written {
  readonly option: 'grant' | 'step-up' | 'when'
  readonly text: string
}

/** The grants: a condition belongs to the one before it. @throws CliFailure `cli.bad-grant` */
export function grantsOf(written: readonly Written[]): Grant[] {
  const grants: Grant[] = []
  for (const { option, text } of written) {
    if (option !== 'when') {
      grants.push({ ...readGrant(text), ...(option === 'step-up' ? { stepUp: true as const } : {}) })
      continue
    }
    const narrowed = grants.pop()
    if (narrowed === undefined || narrowed.when !== undefined) {
      const hint = "write --grant 'tools:call on bank/tools/pay' --when 'context.time.hour < 18'"
      throw new CliFailure('usage', 'cli.bad-grant', '--when follows the grant that it narrows, once', hint)
    }
    grants.push({ ...narrowed, when: text })
  }
  return grants
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
      ['owner', role.owner],
      ['shipped', role.isShipped ? 'yes' : 'no'],
      ...role.grants.map((grant) => ['grant', grantText(grant)] as const),
    ]),
  )
}

async function put(
  invocation: Invocation,
  name: string,
  options: PutOptions & { readonly written: readonly Written[] },
): Promise<void> {
  const file: RoleFile = options.file === undefined ? {} : readRoleFile(options.file)
  const owner = options.owner ?? file.owner
  const grants = [...(file.grants ?? []), ...grantsOf(options.written)]
  if (grants.length === 0) {
    throw new CliFailure('usage', 'cli.bad-grant', 'a role needs at least one grant', 'pass --grant or --file')
  }
  await adminApi(await invocation.signedIn()).roles.put(name, {
    description: options.description ?? file.description ?? '',
    ...(owner !== undefined && { owner }),
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

function declarePut(command: Command, open: () => Invocation): void {
  const written: Written[] = []
  const keep = (option: Written['option']) => (text: string) => void written.push({ option, text })
  command
    .command('put')
    .argument('<name>')
    .description('make a role, or replace it')
    .option('--description <text>', 'what it is for')
    .option('--owner <person>', 'who answers for it, and is asked who still needs it')
    .option('--grant <grant>', "'<permissions> on <resources>'; repeat it", keep('grant'))
    .option('--step-up <grant>', 'the same, with a fresh factor for each single call; repeat it', keep('step-up'))
    .option('--when <condition>', 'a Cedar expression that narrows the grant before it', keep('when'))
    .option('--file <file>', 'JSON with description and grants; - for stdin')
    .action((name: string, options: PutOptions) => put(open(), name, { ...options, written }))
}

export const role: CommandPlug = {
  examples: [
    'castellan role list',
    "castellan role put files-reader --description 'reads files' --grant 'servers:use on files' --grant 'tools:call on files/tools/read_text_file'",
    "castellan role put payer --grant 'servers:use on bank' --step-up 'tools:call on bank/tools/pay'",
    "castellan role put reader --grant 'servers:use on files' --grant 'tools:call/read on files/tools/*' --when 'context.time.hour < 18'",
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
    declarePut(command, open)
    command
      .command('remove')
      .argument('<name>')
      .description('remove a role')
      .option('--yes', 'do not ask')
      .action((name: string, options: { yes?: boolean }) => remove(open(), name, options.yes === true))
    declareMembership(command, open)
  },
}
