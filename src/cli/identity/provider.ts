import type { Command } from 'commander'
import { readText } from '#platform/files'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { type NewProvider, type Provider, providerApi } from '../remote/provider-api.ts'

interface AddOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecretFile?: string
  readonly clientAuthentication?: string
  readonly title?: string
  readonly provision?: 'jit' | 'linked'
  readonly role?: readonly string[]
  readonly groupsClaim?: string
  readonly scope?: readonly string[]
  readonly endpointHost?: readonly string[]
  readonly requireMfa?: boolean
  readonly mfaAmr?: readonly string[]
  readonly mfaAcr?: readonly string[]
  readonly signInMaxAge?: string
  readonly dangerouslyAllowPlainHttp?: boolean
}

const mostSecretBytes = 8_192

/**
 * Reads `librarians=books-reader,viewer`: a group, and the roles of its members.
 * @throws CliFailure `cli.bad-mapping`
 */
export function readMapping(text: string): readonly [string, readonly string[]] {
  const at = text.lastIndexOf('=')
  const roles = text.slice(at + 1).split(',')
  if (at > 0 && roles.every((role) => role !== '')) return [text.slice(0, at), roles]
  const hint = "write --role 'group=role', with commas between several roles"
  throw new CliFailure('usage', 'cli.bad-mapping', `\`${text}\` is not a group with its roles`, hint)
}

/** @throws CliFailure `cli.secret-file`, `cli.secret-exposed` */
function readSecret(path: string): string {
  let read: ReturnType<typeof readText>
  try {
    read = readText(path, mostSecretBytes)
  } catch {
    const hint = 'give the path of a file that you can read'
    throw new CliFailure('usage', 'cli.secret-file', `the secret file \`${path}\` cannot be read`, hint)
  }
  if (!read.isExposed) return read.text.replace(/\r?\n$/, '')
  const hint = `run \`chmod 600 ${path}\`, and replace the secret if others were here`
  throw new CliFailure('usage', 'cli.secret-exposed', `every account of this machine can read \`${path}\``, hint)
}

function settingsOf(options: AddOptions): NewProvider['settings'] {
  const { provision, groupsClaim, scope, endpointHost, mfaAmr, mfaAcr, signInMaxAge } = options
  return {
    ...(provision === undefined ? {} : { provision }),
    ...(groupsClaim === undefined ? {} : { groupsClaim }),
    ...(scope === undefined ? {} : { scopes: [...new Set(['openid', ...scope])] }),
    ...(endpointHost === undefined ? {} : { endpointHosts: endpointHost }),
    ...(signInMaxAge === undefined ? {} : { signInMaxAgeSeconds: Number(signInMaxAge) }),
    mfa: { ...(mfaAmr === undefined ? {} : { amr: mfaAmr }), ...(mfaAcr === undefined ? {} : { acr: mfaAcr }) },
    requireMfa: options.requireMfa === true,
    dangerouslyAllowPlainHttp: options.dangerouslyAllowPlainHttp === true,
    roles: Object.fromEntries((options.role ?? []).map(readMapping)),
  }
}

async function list({ output, signedIn }: Invocation): Promise<void> {
  const providers = await providerApi(await signedIn()).list()
  output.result(providers, () =>
    output.table(
      providers,
      [
        { title: 'NAME', cell: (one) => one.name, isFixed: true },
        { title: 'ISSUER', cell: (one) => one.issuer },
        { title: 'PROVISION', cell: (one) => one.settings.provision, isFixed: true },
        { title: 'GROUPS', cell: (one) => Object.keys(one.settings.roles).join(', ') },
      ],
      'no identity providers; add one with `castellan provider add`',
    ),
  )
}

function tellAddresses({ output }: Invocation, added: Provider): void {
  output.line(`people can sign in at ${added.issuer}`)
  output.note('register these addresses there:')
  output.note(`  redirect             ${added.redirectUri}`)
  output.note(`  back-channel logout  ${added.backchannelLogoutUri}`)
  output.note(`  after logout         ${added.postLogoutRedirectUri}`)
}

async function add(invocation: Invocation, name: string, options: AddOptions): Promise<void> {
  const { issuer, clientId, clientSecretFile, clientAuthentication, title } = options
  const added = await providerApi(await invocation.signedIn()).add({
    name,
    issuer,
    clientId,
    ...(title === undefined ? {} : { title }),
    ...(clientAuthentication === undefined ? {} : { clientAuthentication }),
    ...(clientSecretFile === undefined ? {} : { clientSecret: readSecret(clientSecretFile) }),
    settings: settingsOf(options),
  })
  invocation.output.result(added, () => tellAddresses(invocation, added))
}

async function test({ output, signedIn }: Invocation, name: string): Promise<void> {
  const tested = await providerApi(await signedIn()).test(name)
  if (!tested.isUsable) {
    const hint = 'a foreign host is named with --endpoint-host, when it is the provider’s own'
    throw new CliFailure('remote', 'cli.provider-unusable', `${name} cannot be used: ${tested.problem ?? ''}`, hint)
  }
  output.result(tested, () => {
    output.line(`${name} can be used`)
    for (const [what, address] of Object.entries(tested.endpoints)) output.line(`  ${what} ${address}`)
  })
}

async function remove(invocation: Invocation, name: string, isSure: boolean): Promise<void> {
  await confirmOrRefuse(
    invocation,
    `Remove the provider ${name}? What came from it ends: sessions, grants, roles.`,
    isSure,
  )
  const removed = await providerApi(await invocation.signedIn()).remove(name)
  invocation.output.result({ removed: name, ...removed }, () =>
    invocation.output.line(`removed ${name}; ${removed.endedSessions} sessions ended`),
  )
}

async function links({ output, signedIn }: Invocation, name: string): Promise<void> {
  const found = await providerApi(await signedIn()).links(name)
  output.result(found, () =>
    output.table(
      found,
      [
        { title: 'SUBJECT', cell: (one) => one.subject },
        { title: 'PERSON', cell: (one) => one.personId, isFixed: true },
        { title: 'LAST SEEN', cell: (one) => one.lastSeenAt ?? 'never', isFixed: true },
      ],
      'nobody is linked to an account there',
    ),
  )
}

async function link({ output, signedIn }: Invocation, name: string, asked: { person: string; subject: string }) {
  const linked = await providerApi(await signedIn()).link(name, asked)
  output.result(linked, () => output.line(`${asked.subject} at ${name} is ${asked.person}`))
}

async function unlink({ output, signedIn }: Invocation, name: string, subject: string): Promise<void> {
  const unlinked = await providerApi(await signedIn()).unlink(name, subject)
  output.result(unlinked, () => output.line(`${subject} at ${name} is nobody here`))
}

function declareAdd(command: Command, open: () => Invocation): void {
  command
    .command('add')
    .argument('<name>')
    .description('let people sign in at an OpenID provider')
    .requiredOption('--issuer <url>', 'the issuer, exactly as its metadata have it')
    .requiredOption('--client-id <id>', 'what Castellan is called there')
    .option('--client-secret-file <path>', 'file with the client secret, readable for you alone')
    .option('--client-authentication <way>', 'client_secret_basic, client_secret_post or none')
    .option('--title <text>', 'the words on the button')
    .option('--provision <how>', 'jit: the first sign-in makes a person; linked: only whom you link comes in')
    .option('--role <group=roles...>', 'roles that the members of a group have')
    .option('--groups-claim <name>', 'the claim with the groups')
    .option('--scope <scope...>', 'scopes to ask for, beside openid')
    .option('--endpoint-host <host...>', 'further hosts that its metadata may name')
    .option('--require-mfa', 'refuse whoever it shows no second factor of')
    .option('--mfa-amr <value...>', 'values of amr that show a second factor')
    .option('--mfa-acr <value...>', 'values of acr that show a second factor')
    .option('--sign-in-max-age <seconds>', 'how long ago people may have proved themselves there')
    .option('--dangerously-allow-plain-http', 'speak HTTP with a provider on this machine')
    .action((name: string, options: AddOptions) => add(open(), name, options))
}

export const provider: CommandPlug = {
  examples: [
    "castellan provider add works --issuer https://login.example.com --client-id castellan --client-secret-file ./secret --provision jit --scope profile groups --role 'librarians=books-reader'",
    'castellan provider test works',
    'castellan provider list',
    'castellan provider link works ana 00u1a2b3c4',
    'castellan provider remove works --yes',
  ],
  declare(program, open) {
    const command = program.command('provider').description('identity providers that people sign in at')
    command
      .command('list')
      .description('list the identity providers')
      .action(() => list(open()))
    declareAdd(command, open)
    command
      .command('test')
      .argument('<name>')
      .description('ask a provider for its metadata and judge them as a sign-in would')
      .action((name: string) => test(open(), name))
    command
      .command('links')
      .argument('<name>')
      .description('list who is whom at a provider')
      .action((name: string) => links(open(), name))
    command
      .command('link')
      .argument('<name>')
      .argument('<person>')
      .argument('<subject>')
      .description('link an account at a provider to a person')
      .action((name: string, person: string, subject: string) => link(open(), name, { person, subject }))
    command
      .command('unlink')
      .argument('<name>')
      .argument('<subject>')
      .description('take the link of an account away')
      .action((name: string, subject: string) => unlink(open(), name, subject))
    command
      .command('remove')
      .argument('<name>')
      .description('remove a provider, and end what came from it')
      .option('--yes', 'do not ask')
      .action((name: string, options: { yes?: boolean }) => remove(open(), name, options.yes === true))
  },
}
