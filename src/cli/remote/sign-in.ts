import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { adminApi, type AdminApi } from './api.ts'
import { CliFailure } from '../failure.ts'
import { notSignedIn, type Invocation } from '../invocation.ts'
import { findAuthorizationServer } from './authorization-server.ts'
import { signInByBrowser } from './device-sign-in.ts'
import { endRenewal } from './renew-session.ts'

export interface SignInOptions {
  readonly name?: string
  readonly passwordFile?: string
  readonly passwordStdin?: boolean
  readonly code?: string
  /** By a browser, whatever else is there. */
  readonly device?: boolean
  /** Here, by name and password. */
  readonly terminal?: boolean
}

/** The options with which a script signs in. */
export function withSignInOptions(command: Command): Command {
  return command
    .option('--name <name>', 'who signs in')
    .option('--password-file <file>', 'read the password from the first line of a file')
    .option('--password-stdin', 'read the password from the first line of stdin')
    .option('--code <code>', 'code of the authenticator app, or a recovery code')
}

async function readStdin(invocation: Invocation): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of invocation.terminal.stdin) chunks.push(Buffer.from(chunk as Buffer))
  return Buffer.concat(chunks).toString('utf8')
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? ''
}

function readPasswordFile(path: string): string {
  try {
    return firstLine(readFileSync(path, 'utf8'))
  } catch {
    const hint = 'give the path of a file that you can read, or use --password-stdin'
    throw new CliFailure('usage', 'cli.password-file', `the password file \`${path}\` cannot be read`, hint)
  }
}

/** The password from where the options or the environment say; undefined when it has to be asked. */
export async function readPassword(invocation: Invocation, options: SignInOptions): Promise<string | undefined> {
  if (options.passwordStdin === true) return firstLine(await readStdin(invocation))
  if (options.passwordFile !== undefined) return readPasswordFile(options.passwordFile)
  return invocation.terminal.environment['CASTELLAN_PASSWORD']
}

/** Whether name and password are typed here: where they are given, or asked for, or nobody can open a browser. */
function isTyped({ prompts, terminal }: Invocation, options: SignInOptions): boolean {
  if (options.device === true) return false
  const isGiven = [options.name, options.passwordFile, options.passwordStdin, options.code].some(Boolean)
  return options.terminal === true || isGiven || !prompts.canAsk || !!terminal.environment['CASTELLAN_PASSWORD']
}

/** Signs in by a browser; what was saved before ends at the server. */
async function signInWithBrowser(invocation: Invocation): Promise<{ api: AdminApi; name: string }> {
  const { sessions } = invocation
  const adminUrl = await invocation.adminUrl()
  const tokens = await signInByBrowser(invocation, await findAuthorizationServer(adminUrl))
  const api = adminApi(await invocation.client(tokens.token))
  const { person } = await api.session.me()
  const before = sessions.find(adminUrl)?.renewal
  sessions.save(adminUrl, { ...tokens, name: person.name })
  if (before !== undefined) await endRenewal(before)
  return { api, name: person.name }
}

/** Signs in by a browser, or with what is typed or given; keeps the session for the next command. */
export function signIn(invocation: Invocation, options: SignInOptions): Promise<{ api: AdminApi; name: string }> {
  return isTyped(invocation, options) ? signInTyped(invocation, options) : signInWithBrowser(invocation)
}

/** Asks for what is missing, signs in, keeps the session for the next command. */
async function signInTyped(invocation: Invocation, options: SignInOptions): Promise<{ api: AdminApi; name: string }> {
  const { prompts, terminal, sessions } = invocation
  const adminUrl = await invocation.adminUrl()
  const name = options.name ?? (await prompts.text('Name', { instead: 'pass --name' }))
  const password =
    (await readPassword(invocation, options)) ??
    (await prompts.secret('Password', { instead: 'pass --password-stdin, --password-file or CASTELLAN_PASSWORD' }))
  const givenCode = options.code ?? terminal.environment['CASTELLAN_CODE']
  const code =
    givenCode ??
    (prompts.canAsk
      ? await prompts.text('Code from your authenticator app, or a recovery code', {
          instead: 'pass --code',
          isOptional: true,
        })
      : '')
  const answer = await adminApi(await invocation.client()).session.signIn({
    name,
    password,
    ...(code.trim() === '' ? {} : { code }),
  })
  sessions.save(adminUrl, {
    token: answer.token,
    name: answer.person.name,
    expiresAt: Date.parse(answer.session.expiresAt),
  })
  return { api: adminApi(await invocation.client(answer.token)), name: answer.person.name }
}

/** The saved session if the server still takes it, otherwise a new sign-in. */
export async function signInWhenNeeded(
  invocation: Invocation,
  options: SignInOptions,
): Promise<{ api: AdminApi; name: string; isNew: boolean }> {
  const adminUrl = await invocation.adminUrl()
  const saved = await invocation.session()
  if (saved !== undefined && (options.name === undefined || options.name === saved.name)) {
    const api = adminApi(await invocation.client(saved.token))
    try {
      await api.session.me()
      return { api, name: saved.name, isNew: false }
    } catch (error) {
      if (!(error instanceof CliFailure && error.reason === 'signIn')) throw error
    }
  }
  if (options.name === undefined && !invocation.prompts.canAsk) throw notSignedIn(adminUrl)
  return { ...(await signIn(invocation, options)), isNew: true }
}
