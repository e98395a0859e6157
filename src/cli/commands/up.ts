import { join } from 'node:path'
import type { LoadedConfig } from '#platform/config'
import type { CommandPlug } from '../command.ts'
import { readCount } from '../duration.ts'
import { asFailure } from '../failure.ts'
import type { Invocation, RunningCastellan } from '../invocation.ts'
import { readVersion } from '../read-version.ts'
import { setupLinkFile } from '../setup-link.ts'
import { reloadLines } from '../tasks/show-reload.ts'
import { programName } from '../terminal/output.ts'

interface UpOptions {
  readonly gatewayPort?: string
  readonly adminPort?: string
  /** False with `--no-setup-link`. */
  readonly setupLink: boolean
}

function flagValues(options: UpOptions, isJson: boolean): Record<string, string> {
  const port = (name: string, text: string | undefined) =>
    text === undefined ? undefined : String(readCount(text, { name, min: 0, max: 65_535 }))
  const gateway = port('--gateway-port', options.gatewayPort)
  const admin = port('--admin-port', options.adminPort)
  return {
    ...(gateway === undefined ? {} : { 'gateway.port': gateway }),
    ...(admin === undefined ? {} : { 'admin.port': admin }),
    ...(isJson ? { 'telemetry.logFormat': 'json' } : {}),
  }
}

function nextCommands({ terminal }: Pick<Invocation, 'terminal'>): string[] {
  const name = programName(terminal.environment)
  return [`${name} connect claude-code`, `${name} demo call`, `${name} audit tail`]
}

/** Everything on stdout is either for eyes or JSON lines, as the log is. */
function isForEyes({ output }: Pick<Invocation, 'output'>, { config }: LoadedConfig): boolean {
  const { logFormat } = config.telemetry
  return logFormat === 'pretty' || (logFormat === 'auto' && output.isTerminal)
}

interface Announced {
  readonly invocation: Invocation
  readonly loaded: LoadedConfig
  readonly running: RunningCastellan
}

/** The first screen on a terminal; one JSON line for everything that reads instead of looking. */
function announce({ invocation, loaded, running }: Announced, options: UpOptions): void {
  const { output, terminal } = invocation
  const setupFile = running.setupUrl === undefined ? undefined : join(running.dataDir, setupLinkFile)
  const shownUrl = options.setupLink ? running.setupUrl : undefined
  const next = nextCommands({ terminal })
  if (!isForEyes(invocation, loaded)) {
    const { gatewayUrl, adminUrl, dataDir, startedInMs } = running
    const ready = {
      level: 'info',
      time: new Date(terminal.now()).toISOString(),
      'event.name': 'castellan.ready',
      msg: 'ready',
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

const tellWaitingEveryMs = 2_000
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

function callsText(count: number): string {
  return count === 1 ? '1 call' : `${count} calls`
}

/** Stops, and says from time to time what it is waiting for. */
async function drain({ output }: Invocation, running: RunningCastellan): Promise<void> {
  const count = running.unfinishedCount()
  output.note(count === 0 ? 'stopping' : `stopping: finishing ${callsText(count)} first`)
  const telling = setInterval(() => {
    const left = running.unfinishedCount()
    output.note(left === 0 ? 'waiting for the servers and the ledger to close' : `waiting for ${callsText(left)}`)
  }, tellWaitingEveryMs)
  try {
    await running.stop()
  } finally {
    clearInterval(telling)
  }
  output.note('stopped')
}

/** What signals find: nothing until it is up. */
interface Life {
  running: RunningCastellan | undefined
  /** A reading was asked for before it was up. */
  isReloadDue: boolean
}

/** Resolves when the program was told to stop and has drained; a second signal, or one before it is up, ends it at once. */
function untilStopped(invocation: Invocation, life: Life): Promise<void> {
  const { terminal } = invocation
  return new Promise((resolve, reject) => {
    let isStopping = false
    const stopListening = terminal.onStopSignal((signal) => {
      if (isStopping || life.running === undefined) return terminal.exit(exitCodes[signal])
      isStopping = true
      drain(invocation, life.running).then(resolve, reject).finally(stopListening)
    })
  })
}

function reload({ output }: Invocation, running: RunningCastellan): void {
  running.reload().then(
    (result) => reloadLines(result).forEach((spans) => output.note(...spans)),
    (thrown: unknown) => output.note('the configuration was not read again: ', asFailure(thrown).message),
  )
}

/** Reads the configuration again on each SIGHUP, and says what became of it. @returns how to stop listening */
function reloadOnSignal(invocation: Invocation, life: Life): () => void {
  return invocation.terminal.onReloadSignal(() => {
    if (life.running === undefined) life.isReloadDue = true
    else reload(invocation, life.running)
  })
}

async function serve(invocation: Invocation, options: UpOptions): Promise<void> {
  const life: Life = { running: undefined, isReloadDue: false }
  // WHY: SIGHUP ends a process that does not listen; whoever writes the file while it starts asks for a reload, too.
  const stopReloading = reloadOnSignal(invocation, life)
  const stopped = untilStopped(invocation, life)
  try {
    const loaded = await invocation.loadConfig(flagValues(options, invocation.output.isJson))
    const running = await invocation.up(loaded)
    life.running = running
    announce({ invocation, loaded, running }, options)
    if (life.isReloadDue) reload(invocation, running)
    await stopped
  } finally {
    stopReloading()
  }
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
      .action((options: UpOptions) => serve(open(), options))
  },
}
