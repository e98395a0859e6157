import { adminApi, type AdminApi } from '../remote/api.ts'
import { openAdminClient, readAdminUrl } from '../remote/admin-client.ts'
import type { CommandPlug } from '../command.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { findSetupLink, readSetupLink, type SetupLink } from '../setup-link.ts'
import { canShowQr, qrLines, qrWidth } from '../terminal/qr-code.ts'

interface SetupOptions {
  readonly terminal?: boolean
  readonly link?: string
  readonly name?: string
}

const instead = 'run it in a terminal, or open the set-up link in a browser'
const maxTries = 5
const correctable = /^identity\.(code-wrong|name-|display-name-|password-)/

/** Asks again when the server says what is wrong with the answer; other failures end the set-up. */
async function retry<Result>({ output }: Invocation, attempt: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt()
    } catch (error) {
      const isCorrectable = error instanceof CliFailure && correctable.test(error.code)
      if (!isCorrectable || tries >= maxTries) throw error
      output.say({ text: error.message, tone: 'bad' })
      output.say(error.hint)
    }
  }
}

function askName({ prompts }: Invocation, initial: string | undefined): Promise<string> {
  return prompts.text('Name', { instead, ...(initial === undefined ? {} : { initial }) })
}

async function askPassword({ prompts, output }: Invocation): Promise<string> {
  for (;;) {
    const password = await prompts.secret('Password (a long sentence is good)', { instead })
    if (password === (await prompts.secret('The same again', { instead }))) return password
    output.note({ text: 'the two were not the same', tone: 'bad' })
  }
}

function showSecret({ output, terminal }: Invocation, otpauthUri: string, secret: string): void {
  output.say('')
  output.say('Scan this with an authenticator app:')
  const columns = terminal.stderr.columns ?? 80
  if (canShowQr(terminal.environment, { columns, neededCells: qrWidth(otpauthUri) })) output.art(qrLines(otpauthUri))
  else output.say(otpauthUri)
  const grouped = secret.replace(/\s/g, '').replace(/(.{4})(?=.)/g, '$1 ')
  output.say('or type the secret: ', { text: grouped, tone: 'strong' })
  output.say('')
}

function showRecoveryCodes({ output }: Invocation, codes: readonly string[]): void {
  output.note('')
  output.note(
    { text: 'Recovery codes, shown this once.', tone: 'strong' },
    ' Each replaces one code of the app; keep them somewhere safe:',
  )
  for (let index = 0; index < codes.length; index += 2) {
    output.line(`  ${(codes[index] ?? '').padEnd(24)}${codes[index + 1] ?? ''}`)
  }
  output.note('')
}

async function enrol(
  invocation: Invocation,
  api: AdminApi,
  { token }: SetupLink,
  options: SetupOptions,
): Promise<void> {
  const { prompts, output } = invocation
  const begun = await api.enrolments.begin(token)
  let typed: string | undefined
  const chosen = await retry(invocation, async () => {
    const name = begun.name ?? (typed === undefined ? options.name : undefined) ?? (await askName(invocation, typed))
    typed = name
    return api.enrolments.choose({ token, name, password: await askPassword(invocation) })
  })
  showSecret(invocation, chosen.otpauthUri, chosen.secret)
  const isOptional = begun.secondFactor === 'optional'
  const done = await retry(invocation, async () => {
    const code = await prompts.text('Code from the app', { instead, isOptional })
    return api.enrolments.finish({ token, ...(code.trim() === '' ? {} : { code }) })
  })
  output.result({ name: done.principalName, recoveryCodes: done.recoveryCodes }, () => {
    if (done.recoveryCodes.length > 0) showRecoveryCodes(invocation, done.recoveryCodes)
    output.line({ text: `${done.principalName} is set up`, tone: 'good' })
    output.note('next: `castellan login`')
  })
}

export const setup: CommandPlug = {
  examples: ['castellan setup --terminal', "castellan setup --terminal --link 'http://localhost:8091/setup#cse_…'"],
  declare(program, open) {
    program
      .command('setup')
      .description('create the first admin, or accept an invitation')
      .option('--terminal', 'do it here instead of in a browser')
      .option('--link <url>', 'set-up or invitation link (default: the one in the data folder)')
      .option('--name <name>', 'your name, when the link does not have one')
      .action(async (options: SetupOptions) => {
        const invocation = open()
        const link = options.link === undefined ? await findSetupLink(invocation) : readSetupLink(options.link)
        if (options.terminal !== true) {
          return invocation.output.result({ setupUrl: link.url }, () => {
            invocation.output.note('open this in a browser, or run `castellan setup --terminal`:')
            invocation.output.line(link.url)
          })
        }
        if (!invocation.prompts.canAsk)
          throw new CliFailure(
            'usage',
            'cli.input-needed',
            'the set-up asks questions, and there is no terminal to ask at',
            instead,
          )
        const client = await openAdminClient(readAdminUrl(link.adminUrl))
        try {
          await enrol(invocation, adminApi(client), link, options)
        } finally {
          await client.close()
        }
      })
  },
}
