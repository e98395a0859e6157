import { Command, CommanderError } from 'commander'
import { exampleText } from './command.ts'
import { commandNames, loadCommand } from './commands/index.ts'
import { asFailure } from './failure.ts'
import { createInvocation, type GlobalOptions, type Invocation, type Up } from './invocation.ts'
import { createOutput } from './terminal/output.ts'
import { createPrompts } from './terminal/prompts.ts'
import { createTerminal, type Terminal } from './terminal/terminal.ts'

const firstSteps = ['castellan up', 'castellan connect claude-code', 'castellan demo call', 'castellan help exit-codes']

function createProgram(terminal: Terminal): Command {
  return new Command('castellan')
    .description('The security gateway for the Model Context Protocol.')
    .option('--json', 'print JSON on stdout and errors as one JSON line on stderr')
    .option('--quiet', 'print no remarks')
    .option('--no-input', 'never ask; fail instead')
    .option('--admin-url <url>', 'admin listener to talk to (default: admin.publicUrl of the configuration)')
    .option('--data-dir <folder>', 'data folder of this machine')
    .option('--config <file>', 'configuration file (default: castellan.yaml)')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .configureHelp({ showGlobalOptions: true, helpWidth: Math.min(100, terminal.stdout.columns ?? 100) })
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      // WHY: usage errors are printed once, in the form of every other error.
      outputError: () => undefined,
    })
    .exitOverride()
}

/** The words of this program; what follows `--` belongs to another. */
function ownWords(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--')
  return end === -1 ? argv : argv.slice(0, end)
}

/** The commands whose files are needed for this command line. */
function wantedCommands(argv: readonly string[]): readonly string[] {
  const named = commandNames.filter((name) => ownWords(argv).includes(name))
  return named.length === 0 || named.includes('help') ? commandNames : named
}

async function declareCommands(program: Command, argv: readonly string[], open: () => Invocation): Promise<void> {
  const plugs = await Promise.all(wantedCommands(argv).map(loadCommand))
  for (const plug of plugs) plug.declare(program, open)
  const lines = plugs.flatMap((plug) => plug.examples)
  program.addHelpText('afterAll', ({ command }) => exampleText(command, command === program ? firstSteps : lines))
}

/** The command that is named, as far as its words are known. */
function namedCommand(program: Command, argv: readonly string[]): string {
  let [command, path] = [program, program.name()]
  for (const word of ownWords(argv)) {
    const next = command.commands.find((one) => one.name() === word)
    if (next === undefined) continue
    command = next
    path += ` ${word}`
  }
  return path
}

/** Help that was asked for, or shown because a noun was given without its verb. */
function isHelp(error: unknown): error is CommanderError {
  return error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help')
}

/**
 * Runs one command line.
 * @param argv what follows `castellan`
 * @returns the exit code; everything has been printed
 */
export async function runCli(argv: readonly string[], parts: { up: Up; terminal?: Terminal }): Promise<number> {
  const terminal = parts.terminal ?? createTerminal()
  const program = createProgram(terminal)
  let invocation: Invocation | undefined
  const open = (): Invocation => {
    const options = program.opts<GlobalOptions>()
    const output = createOutput(terminal, { isJson: options.json === true, isQuiet: options.quiet === true })
    const prompts = createPrompts(terminal, { mayAsk: options.input !== false })
    invocation ??= createInvocation({ terminal, output, prompts, options, up: parts.up })
    return invocation
  }
  try {
    await declareCommands(program, argv, open)
    if (argv.length === 0) program.outputHelp()
    else await program.parseAsync([...argv], { from: 'user' })
    return 0
  } catch (error) {
    if (isHelp(error)) return error.exitCode
    const failure = asFailure(error, namedCommand(program, argv))
    const isJson = program.opts<GlobalOptions>().json === true || ownWords(argv).includes('--json')
    createOutput(terminal, { isJson, isQuiet: false }).fail(failure)
    return failure.exitCode
  } finally {
    await invocation?.close()
  }
}
