import { join } from 'node:path'
import type { CommandPlug } from '../command.ts'
import { readCount } from '../duration.ts'
import type { Invocation, RunningCastellan } from '../invocation.ts'
import { readVersion } from '../read-version.ts'
import { setupLinkFile } from '../setup-link.ts'
import { programName } from '../terminal/output.ts'

interface UpOptions {
  readonly gatewayPort?: string
  readonly adminPort?: string
  /** False with `--no-setup-link`. */
  readonly setupLink: boolean
}

function flagValues(options: UpOptions): Record<string, string> {
  const port = (name: string, text: string | undefined) =>
    text === undefined ? undefined : String(readCount(text, { name, min: 0, max: 65_535 }))
  const gateway = port('--gateway-port', options.gatewayPort)
  const admin = port('--admin-port', options.adminPort)
  return {
    ...(gateway === undefined ? {} : { 'gateway.port': gateway }),
    ...(admin === undefined ? {} : { 'admin.port': admin }),
  }
}

function nextCommands({ terminal }: Pick<Invocation, 'terminal'>): string[] {
  const name = programName(terminal.environment)
  return [`${name} connect claude-code`, `${name} demo call`, `${name} audit tail`]
}

/** The first screen on a terminal; one JSON line for everything that reads instead of looking. */
function announce({ output, terminal }: Invocation, running: RunningCastellan, options: UpOptions): void {
  const setupFile = running.setupUrl === undefined ? undefined : join(running.dataDir, setupLinkFile)
  const shownUrl = options.setupLink ? running.setupUrl : undefined
  const next = nextCommands({ terminal })
  if (output.isJson || !output.isTerminal) {
    const { gatewayUrl, adminUrl, dataDir, startedInMs } = running
    const ready = {
      event: 'ready',
      version: readVersion(),
      gatewayUrl,
      adminUrl,
      dataDir,
      startedInMs: Math.round(startedInMs),
    }
    output.jsonLine({ ...ready, setupUrl: shownUrl, setupLinkFile: setupFile, next })
    return
  }
  output.line('')
  output.line(
    { text: `castellan ${readVersion()}`, tone: 'strong' },
    ` is up in ${(running.startedInMs / 1_000).toFixed(1)} s`,
  )
  output.line('')
  output.facts([
    ['data', running.dataDir],
    ['gateway', running.gatewayUrl],
    ['admin', running.adminUrl],
  ])
  output.line('')
  if (setupFile !== undefined) {
    output.line({ text: 'Create your admin', tone: 'strong' }, ' (one use, 15 minutes):')
    output.line('  ', { text: shownUrl ?? `the link is in ${setupFile}`, tone: 'good' })
    output.line({ text: `  or without a browser: ${programName(terminal.environment)} setup --terminal`, tone: 'dim' })
    output.line('')
  }
  output.line({ text: 'Then, in another terminal:', tone: 'strong' })
  for (const command of next) output.line(`  ${command}`)
  output.line('')
  output.note({
    text: 'Ctrl-C stops it: calls in flight are finished first, a second Ctrl-C does not wait',
    tone: 'dim',
  })
}

/** Resolves when the program was told to stop and has drained; a second signal ends it at once. */
function untilStopped({ terminal, output }: Invocation, running: RunningCastellan): Promise<void> {
  return new Promise((resolve, reject) => {
    let isStopping = false
    const stopListening = terminal.onStopSignal((signal) => {
      if (isStopping) return terminal.exit(signal === 'SIGTERM' ? 143 : 130)
      isStopping = true
      output.note('stopping: finishing the calls in flight')
      running.stop().then(resolve, reject).finally(stopListening)
    })
  })
}

export const up: CommandPlug = {
  examples: [
    'castellan up',
    'castellan up --gateway-port 9090 --admin-port 9091',
    'castellan up --data-dir ./data --no-setup-link',
  ],
  declare(program, open) {
    program
      .command('up')
      .description('start the gateway and the admin listener, and serve until stopped')
      .option('--gateway-port <port>', 'port of the gateway listener; 0 picks one')
      .option('--admin-port <port>', 'port of the admin listener; 0 picks one')
      .option('--no-setup-link', 'keep the set-up link out of the output; it is in the data folder for its owner')
      .action(async (options: UpOptions) => {
        const invocation = open()
        const running = await invocation.up(await invocation.loadConfig(flagValues(options)))
        const stopped = untilStopped(invocation, running)
        announce(invocation, running, options)
        await stopped
      })
  },
}
