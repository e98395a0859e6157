import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import type { Invocation } from '../invocation.ts'
import { issuerApi } from '../remote/issuer-api.ts'

async function list({ output, signedIn }: Invocation): Promise<void> {
  const keys = await issuerApi(await signedIn()).withdrawn()
  output.result(keys, () =>
    output.table(
      keys,
      [
        { title: 'ISSUER', cell: (one) => one.issuer },
        { title: 'KEY', cell: (one) => one.key, isFixed: true },
        { title: 'WITHDRAWN', cell: (one) => one.withdrawnAt },
      ],
      'no key was withdrawn; what issuers publish counts',
    ),
  )
}

async function withdraw(invocation: Invocation, issuer: string, key: string, isSure: boolean): Promise<void> {
  await confirmOrRefuse(invocation, `Withdraw the key ${key} of ${issuer}? What it signed ends at once.`, isSure)
  const withdrawn = await issuerApi(await invocation.signedIn()).withdraw(issuer, key)
  const { output } = invocation
  output.result(withdrawn, () => {
    output.line(`${key} of ${issuer} counts no longer`)
    if (withdrawn.isPublished === true) return
    const why = withdrawn.isPublished === false ? 'publishes no such key' : 'could not be asked for its keys'
    output.note(`${issuer} ${why}: look at the spelling; \`castellan issuer restore-key\` takes it back`)
  })
}

async function restore({ output, signedIn }: Invocation, issuer: string, key: string): Promise<void> {
  const restored = await issuerApi(await signedIn()).restore(issuer, key)
  output.result(restored, () => output.line(`${key} of ${issuer} counts again`))
}

export const issuer: CommandPlug = {
  examples: [
    'castellan issuer withdrawn-keys',
    'castellan issuer withdraw-key https://login.example.com <kid>',
    'castellan issuer restore-key https://login.example.com <kid>',
  ],
  declare(program, open) {
    const command = program.command('issuer').description('keys of the issuers in `identity.issuers`')

    command
      .command('withdrawn-keys')
      .description('list the keys that count no longer, whatever their issuer publishes')
      .action(() => list(open()))
    command
      .command('withdraw-key')
      .argument('<issuer>', 'as the configuration has it')
      .argument('<key>', 'its `kid`, or the SHA-256 of the public key in hex')
      .description('trust a key no longer; what it signed ends at once, on open streams too')
      .option('--yes', 'do not ask')
      .action((name: string, key: string, { yes = false }: { yes?: boolean }) => withdraw(open(), name, key, yes))
    command
      .command('restore-key')
      .argument('<issuer>')
      .argument('<key>')
      .description('let a key that was withdrawn count again')
      .action((name: string, key: string) => restore(open(), name, key))
  },
}
