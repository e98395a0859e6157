import type { Command } from 'commander'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { adminApi, type Classification, type Pin } from '../remote/api.ts'

const effects = ['discover', 'read', 'query', 'write', 'execute', 'administer']
const sensitivities = ['public', 'internal', 'confidential', 'restricted']

export interface ClassifyOptions {
  readonly effect?: string
  readonly sensitivity?: string
  readonly dataClass?: readonly string[]
  readonly owner?: string
  readonly bringsUntrusted?: boolean
  readonly outlet?: boolean
  readonly asSuggested?: boolean
}

/** The options by which a tool is classified, for `approve` and `classify`. */
export function withClassification(command: Command): Command {
  return command
    .option('--effect <class>', `what a call does at worst: ${effects.join(', ')}`)
    .option('--sensitivity <level>', `of what its answers hold: ${sensitivities.join(', ')}`)
    .option(
      '--data-class <name>',
      'a kind of data that its answers hold, as personal; repeat it',
      (name: string, all: string[] = []) => [...all, name],
    )
    .option('--owner <name>', 'who answers for it')
    .option('--brings-untrusted', 'its answers may hold what strangers wrote')
    .option('--no-brings-untrusted', 'its answers hold only what the company wrote')
    .option('--outlet', 'what it is given can leave the company')
    .option('--no-outlet', 'what it is given stays in the company')
    .option('--as-suggested', 'begin with what its own annotations say, which nobody has checked')
}

function checked(option: string, value: string | undefined, known: readonly string[]): string | undefined {
  if (value === undefined || known.includes(value)) return value
  const hint = `use one of ${known.join(', ')}`
  throw new CliFailure('usage', 'cli.usage', `--${option} cannot be \`${value}\``, hint)
}

/** What was said on the command line; undefined when nothing was. */
export function saidOf(
  options: ClassifyOptions,
): ((pin: Pick<Pin, 'classification' | 'suggestion'>) => Classification) | undefined {
  const { dataClass: dataClasses, owner, bringsUntrusted, outlet: isOutlet, asSuggested = false } = options
  const effect = checked('effect', options.effect, effects)
  const sensitivity = checked('sensitivity', options.sensitivity, sensitivities)
  const said = { effect, sensitivity, dataClasses, owner, bringsUntrusted, isOutlet }
  const known = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
  if (Object.keys(known).length === 0 && !asSuggested) return undefined
  return (pin) => ({ ...(asSuggested ? pin.suggestion : pin.classification), ...known })
}

/** One line: `write, confidential, personal+payment, owner sales, brings untrusted content, outlet`. */
export function sayClassification(given: Classification): string {
  const { effect, sensitivity, dataClasses, owner, bringsUntrusted, isOutlet } = given
  return [
    effect,
    sensitivity,
    ...(dataClasses.length === 0 ? [] : [dataClasses.join('+')]),
    ...(owner === '' ? [] : [`owner ${owner}`]),
    bringsUntrusted ? 'brings untrusted content' : 'trusted content',
    isOutlet ? 'outlet' : 'no outlet',
  ].join(', ')
}

/** Of tools that are approved, or of the server as a whole when none is named. */
export async function classify(
  invocation: Invocation,
  name: string,
  { tools, ...options }: ClassifyOptions & { readonly tools: readonly string[] },
): Promise<void> {
  const say = saidOf(options)
  if (say === undefined) {
    const hint = 'say at least one thing, as --effect read; see `castellan upstream classify --help`'
    throw new CliFailure('usage', 'cli.usage', 'nothing was said of it', hint)
  }
  const { upstreams } = adminApi(await invocation.signedIn())
  const pins = await upstreams.differences(name, { all: 'true' })
  const unknown = tools.find((tool) => pins.every((pin) => pin.tool !== tool))
  if (unknown !== undefined) {
    const hint = `see \`castellan upstream review ${name}\``
    throw new CliFailure('notFound', 'cli.unknown-tool', `no tool \`${unknown}\` has been seen at \`${name}\``, hint)
  }
  const done: { readonly tool: string | null; readonly classification: Classification }[] = []
  for (const tool of new Set(tools)) {
    const pin = pins.find((one) => one.tool === tool)
    if (pin === undefined) continue
    const classification = say(pin)
    await upstreams.classify(name, { tools: [tool], classification })
    done.push({ tool, classification })
  }
  if (tools.length === 0) {
    const classification = say(worst)
    await upstreams.classifyServer(name, classification)
    done.push({ tool: null, classification })
  }
  invocation.output.result({ upstream: name, classified: done }, () => {
    for (const one of done) invocation.output.line(`${one.tool ?? name}: ${sayClassification(one.classification)}`)
  })
}

const unclassified: Classification = {
  effect: 'execute',
  sensitivity: 'restricted',
  dataClasses: [],
  owner: '',
  bringsUntrusted: true,
  isOutlet: true,
}

/** WHY: of a server as a whole nothing is suggested; what is left out is the worst. */
const worst = { classification: unclassified, suggestion: unclassified }
