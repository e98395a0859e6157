import { readFileSync } from 'node:fs'
import type { WitnessAnswer } from '#audit'
import type { CommandPlug } from '../command.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'

interface WitnessFlags {
  readonly name: string
  readonly log: readonly string[]
  readonly listen: string
  readonly tlsCertificate?: string
  readonly tlsKey?: string
  readonly dangerouslyAllowPlainHttp?: boolean
}

function readPlace(text: string): { readonly addresses?: readonly string[]; readonly port: number } {
  const [, address, digits = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === '' || port > 65_535) {
    const hint = 'use a port, or an address and a port, such as 8095 or 127.0.0.1:8095'
    throw new CliFailure('usage', 'cli.bad-listen', `\`${text}\` is no place to listen at`, hint)
  }
  return { port, ...(address !== undefined && { addresses: [address.replace(/^\[(.*)\]$/, '$1')] }) }
}

function readKey(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new CliFailure('usage', 'cli.unreadable-file', `\`${path}\` cannot be read`, 'name a copy of ledger-key.pub')
  }
}

function tlsOf({ tlsCertificate: certificate, tlsKey: key }: WitnessFlags) {
  if (certificate === undefined && key === undefined) return undefined
  if (certificate !== undefined && key !== undefined) return { certificate, key }
  throw new CliFailure('usage', 'cli.half-tls', 'a certificate needs its key, and a key its certificate', 'give both')
}

function tell({ output }: Invocation, { status, finding, origin = '' }: WitnessAnswer): void {
  const says = status === 200 ? 'cosigned' : finding === 'fork' ? 'FORK: kept as evidence, not signed' : 'refused'
  if (output.isJson) output.jsonLine({ event: 'answered', status, origin, ...(finding !== undefined && { finding }) })
  else output.line(`${says}  ${origin}  ${status}`)
}

async function runWitness(invocation: Invocation, flags: WitnessFlags): Promise<void> {
  const { terminal, output, options } = invocation
  if (options.dataDir === undefined) {
    const hint = 'name a folder of its own with --data-dir, not that of a gateway'
    throw new CliFailure('usage', 'cli.no-data-folder', 'a witness keeps its key and what it saw', hint)
  }
  const [{ startWitness }, { openDataFolder }, { systemClock }] = await Promise.all([
    import('#audit'),
    import('#platform/files'),
    import('#kernel'),
  ])
  const tls = tlsOf(flags)
  const witness = await startWitness({
    dataFolder: openDataFolder(options.dataDir),
    name: flags.name,
    logs: flags.log.map(readKey),
    clock: systemClock,
    ...readPlace(flags.listen),
    tls,
    dangerouslyAllowPlainHttp: flags.dangerouslyAllowPlainHttp === true,
    onAnswer: (answer) => tell(invocation, answer),
    onFault: (error) => output.say({ text: `nothing was signed: ${String(error)}`, tone: 'bad' }),
  })
  const stopped = Promise.withResolvers<void>()
  const unheard = terminal.onStopSignal(() => stopped.resolve())
  const { port, verifierKey } = witness
  const url = `${tls === undefined ? 'http' : 'https'}://localhost:${port}`
  if (output.isJson) output.jsonLine({ event: 'ready', url, verifierKey: verifierKey.trimEnd() })
  else {
    output.facts([
      ['witness', flags.name],
      ['url', url],
      ['public key', verifierKey.trimEnd()],
    ])
    output.note('it cosigns what only grew, and ends with Ctrl-C')
  }
  try {
    await stopped.promise
  } finally {
    unheard()
    await witness.close()
  }
}

const more = (path: string, paths: readonly string[]): string[] => [...paths, path]

export const witness: CommandPlug = {
  examples: [
    'castellan witness --name witness.example --log ledger-key.pub --data-dir ./witness',
    'castellan audit witness http://localhost:8095 --witness-key witness.pub --out cosigned.checkpoint',
  ],
  declare(program, open) {
    program
      .command('witness')
      .description('a small process of its own that cosigns checkpoints of ledgers, and never two pasts of one')
      .requiredOption('--name <name>', 'what its signatures are called, such as its host')
      .option('--log <file>', 'public key of a ledger (ledger-key.pub); may be given again', more, [])
      .option('--listen <place>', 'port, or address and port', '8095')
      .option('--tls-certificate <file>', 'PEM: the certificate and its chain')
      .option('--tls-key <file>', 'PEM: its key')
      .option('--dangerously-allow-plain-http', 'listen beyond this machine without TLS')
      .action((flags: WitnessFlags) => runWitness(open(), flags))
  },
}
