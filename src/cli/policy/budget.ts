import type { CommandPlug } from '../command.ts'
import { showTime } from '../duration.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { budgetApi, type BudgetLine } from './budgets-api.ts'

interface SetOptions {
  readonly person?: string
  readonly each?: boolean
  readonly role?: string
  readonly tool?: string
  readonly upstream?: string
  readonly bundle?: string
  readonly calls?: string
  readonly bytes?: string
  readonly units?: string
  readonly per: string
}

function onlyOne<Thing>(things: readonly Thing[], problem: string, hint: string): Thing {
  const [only, ...others] = things
  if (only !== undefined && others.length === 0) return only
  throw new CliFailure('usage', 'cli.budget', problem, hint)
}

/** @throws CliFailure `cli.budget` */
function readAmount(text: string): number {
  if (/^\d{1,16}$/.test(text)) return Number(text)
  throw new CliFailure('usage', 'cli.budget', `${text} is not an amount`, 'give a whole number, 0 or more')
}

/** What the options mean. @throws CliFailure `cli.budget` */
export function readBudget(options: SetOptions): Omit<BudgetLine, 'id'> {
  const subjects = (['role', 'tool', 'upstream', 'bundle'] as const).flatMap((kind) => {
    const subject = options[kind]
    return subject === undefined ? [] : [{ kind: kind as string, subject }]
  })
  if (options.person !== undefined) subjects.push({ kind: 'principal', subject: options.person })
  if (options.each === true) subjects.push({ kind: 'principal', subject: '*' })
  const meters = (['calls', 'bytes', 'units'] as const).flatMap((meter) => {
    const amount = options[meter]
    return amount === undefined ? [] : [{ meter, amount: readAmount(amount) }]
  })
  const who =
    'pass one of --person <name>, --each, --role <name>, --tool <upstream/tool>, --upstream <name>, --bundle <name>'
  const on = onlyOne(subjects, 'a budget is on exactly one thing', who)
  const much = onlyOne(meters, 'a budget counts exactly one thing', 'pass one of --calls <n>, --bytes <n>, --units <n>')
  if (!['hour', 'day', 'month'].includes(options.per)) {
    throw new CliFailure('usage', 'cli.budget', `${options.per} is not a period`, 'pass --per hour, day or month')
  }
  return { ...on, ...much, period: options.per }
}

function nameOf({ kind, subject }: Pick<BudgetLine, 'kind' | 'subject'>): string {
  if (kind === 'principal') return subject === '*' ? 'each person' : `person ${subject}`
  return kind === 'role' ? `each with role ${subject}` : `${kind} ${subject}`
}

function limitOf({ amount, meter, period }: Pick<BudgetLine, 'amount' | 'meter' | 'period'>): string {
  return `${amount} ${meter} per ${period}`
}

async function set({ output, signedIn }: Invocation, options: SetOptions): Promise<void> {
  const wanted = readBudget(options)
  const made = await budgetApi(await signedIn()).set(wanted)
  output.result(made, () => output.line(`budget ${made.id}: ${limitOf(made)}, ${nameOf(made)}`))
}

async function list({ output, signedIn }: Invocation): Promise<void> {
  const budgets = await budgetApi(await signedIn()).list()
  output.result(budgets, () =>
    output.table(
      budgets,
      [
        { title: 'ID', cell: (one) => one.id, isFixed: true },
        { title: 'ON', cell: nameOf },
        { title: 'LIMIT', cell: limitOf },
      ],
      'no budgets; set one with `castellan budget set --each --calls 1000 --per day`',
    ),
  )
}

async function show({ output, signedIn }: Invocation, id: string): Promise<void> {
  const state = await budgetApi(await signedIn()).show(id)
  output.result(state, () => {
    output.line(`${limitOf(state)}, ${nameOf(state)}`)
    output.line(`from ${showTime(state.startsAt) ?? ''} to ${showTime(state.endsAt) ?? ''}`)
    for (const { holder, taken } of state.taken) {
      output.line(`${taken} of ${state.amount} handed out${holder === '' ? '' : ` to ${holder}`}`)
    }
  })
}

async function remove({ output, signedIn }: Invocation, id: string): Promise<void> {
  await budgetApi(await signedIn()).remove(id)
  output.result({ removed: id }, () => output.line(`removed ${id}`))
}

async function cost({ output, signedIn }: Invocation, tool: string, units: string): Promise<void> {
  const said = { tool, units: readAmount(units) }
  await budgetApi(await signedIn()).setCost(said)
  output.result(said, () => output.line(`a call of ${tool} costs ${said.units}`))
}

export const budget: CommandPlug = {
  examples: [
    'castellan budget set --each --calls 1000 --per day',
    'castellan budget set --upstream search --units 5000 --per month',
    'castellan budget cost search/deep_research 25',
    'castellan budget show <id>',
  ],
  declare(program, open) {
    const command = program.command('budget').description('limit calls, bytes and cost by hour, day or month')

    command
      .command('set')
      .description('make a budget, or change the amount of the one there is')
      .option('--person <name>', 'one person or service account')
      .option('--each', 'every person and service account, each by themselves')
      .option('--role <name>', 'everybody who has the role, each by themselves')
      .option('--tool <upstream/tool>', 'one tool, all callers together')
      .option('--upstream <name>', 'one server, all callers together')
      .option('--bundle <name>', 'what comes to the address of a bundle')
      .option('--calls <n>', 'so many calls')
      .option('--bytes <n>', 'so many bytes of arguments and answers')
      .option('--units <n>', 'so many units of what tools cost')
      .requiredOption('--per <period>', 'hour, day or month')
      .action((options: SetOptions) => set(open(), options))
    command
      .command('list')
      .description('list all budgets')
      .action(() => list(open()))
    command
      .command('show')
      .argument('<id>')
      .description('show what was handed out of a budget')
      .action((id: string) => show(open(), id))
    command
      .command('remove')
      .argument('<id>')
      .description('remove a budget')
      .action((id: string) => remove(open(), id))
    command
      .command('cost')
      .argument('<upstream/tool>')
      .argument('<units>')
      .description('say what one call of a tool costs; one unit unless told')
      .action((tool: string, units: string) => cost(open(), tool, units))
  },
}
