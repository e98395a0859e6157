import { adminApi, type Hold, type HoldKind } from '../remote/api.ts'
import type { CommandPlug } from '../command.ts'
import { readDuration, showTime } from '../duration.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import type { Span } from '../terminal/table.ts'

interface PlaceOptions {
  readonly person?: string
  readonly client?: string
  readonly address?: string
  readonly tool?: string
  readonly upstream?: string
  readonly everything?: boolean
  readonly reason: string
  readonly for?: string
}

/** What is held. @throws CliFailure `cli.hold-subject` */
export function readSubject(options: Omit<PlaceOptions, 'reason'>): { kind: HoldKind; subject: string } {
  const given = (['person', 'client', 'address', 'tool', 'upstream'] as const).flatMap((kind) => {
    const subject = options[kind]
    return subject === undefined ? [] : [{ kind, subject }]
  })
  const all = [...given, ...(options.everything === true ? [{ kind: 'everything' as const, subject: '' }] : [])]
  const [only, ...others] = all
  if (only !== undefined && others.length === 0) return only
  const hint =
    'pass one of --person <name>, --client <id>, --address <network>, --tool <upstream>/<tool>, --upstream <name>, --everything'
  throw new CliFailure('usage', 'cli.hold-subject', 'a hold is on exactly one thing', hint)
}

async function place(invocation: Invocation, options: PlaceOptions): Promise<void> {
  const { kind, subject } = readSubject(options)
  const seconds = options.for === undefined ? undefined : readDuration(options.for)
  const api = adminApi(await invocation.signedIn())
  const placed = await api.holds.place({
    kind,
    subject,
    reason: options.reason,
    ...(seconds === undefined
      ? {}
      : { expiresAt: new Date(invocation.terminal.now() + seconds * 1_000).toISOString() }),
  })
  const { output } = invocation
  output.result(placed, () => {
    output.line(`hold ${placed.id} on ${kind}${subject === '' ? '' : ` ${subject}`} is in force`)
    output.note(`lift it with \`castellan hold lift ${placed.id}\``)
  })
}

function isInForce(hold: Hold, nowMs: number): boolean {
  return hold.liftedAt === null && (hold.expiresAt === null || Date.parse(hold.expiresAt) > nowMs)
}

function stateOf(hold: Hold, nowMs: number): Span {
  if (isInForce(hold, nowMs)) return { text: 'in force', tone: 'bad' }
  return { text: hold.liftedAt === null ? 'expired' : 'lifted', tone: 'dim' }
}

async function list({ output, signedIn, terminal }: Invocation, isAll: boolean): Promise<void> {
  const nowMs = terminal.now()
  const holds = await adminApi(await signedIn()).holds.list(isAll ? { ended: 'true' } : {})
  output.result(holds, () =>
    output.table(
      holds,
      [
        { title: 'ID', cell: (one) => one.id, isFixed: true },
        { title: 'STATE', cell: (one) => stateOf(one, nowMs), isFixed: true },
        { title: 'ON', cell: (one) => `${one.kind} ${one.subject}`.trim() },
        { title: 'REASON', cell: (one) => one.reason },
        { title: 'UNTIL', cell: (one) => showTime(one.expiresAt) ?? 'no end', isFixed: true },
      ],
      'no holds; place one with `castellan hold place --upstream <name> --reason <text>`',
    ),
  )
}

async function show({ output, signedIn, terminal }: Invocation, id: string): Promise<void> {
  const held = (await adminApi(await signedIn()).holds.list({ ended: 'true' })).find((one) => one.id === id)
  if (held === undefined) {
    throw new CliFailure(
      'notFound',
      'policy.hold-unknown',
      `there is no hold ${id}`,
      '`castellan hold list --all` shows them',
    )
  }
  output.result(held, () => {
    output.line(`${held.kind} ${held.subject}`.trim(), stateOf(held, terminal.now()))
    output.line(`reason: ${held.reason}`)
    output.line(`placed: ${showTime(held.placedAt) ?? ''} by ${held.placedBy}`)
    output.line(`until: ${showTime(held.expiresAt) ?? 'no end'}`)
    if (held.liftedAt !== null) output.line(`lifted: ${showTime(held.liftedAt) ?? ''} by ${held.liftedBy ?? ''}`)
  })
}

async function lift({ output, signedIn }: Invocation, id: string): Promise<void> {
  await adminApi(await signedIn()).holds.lift(id)
  output.result({ lifted: id }, () => output.line(`lifted ${id}`))
}

export const hold: CommandPlug = {
  examples: [
    "castellan hold place --person bo --reason 'laptop lost' --for 1h",
    "castellan hold place --address 203.0.113.0/24 --reason 'guessing passwords' --for 1d",
    "castellan hold place --tool files/write_file --reason 'under investigation'",
    "castellan hold place --everything --reason 'incident'",
    'castellan hold lift <id>',
    'castellan hold list',
  ],
  declare(program, open) {
    const command = program
      .command('hold')
      .description('stop a person, a client, an address, a tool, an upstream or everything, at once')

    command
      .command('place')
      .description('place a hold; it works from the next request on, and on open streams')
      .option('--person <name>', 'a person')
      .option('--client <id>', 'an OAuth client by id, or a service account')
      .option('--address <network>', 'an address, or a network as 203.0.113.0/24')
      .option('--tool <upstream/tool>', 'one tool')
      .option('--upstream <name>', 'an upstream')
      .option('--everything', 'every call through the gateway')
      .requiredOption('--reason <text>', 'why; it is recorded')
      .option('--for <duration>', 'lift it by itself after 30m, 1h, 7d')
      .action((options: PlaceOptions) => place(open(), options))
    command
      .command('list')
      .description('list the holds in force')
      .option('--all', 'past ones too')
      .action((options: { all?: boolean }) => list(open(), options.all === true))
    command
      .command('show')
      .argument('<id>')
      .description('show one hold, also a past one')
      .action((id: string) => show(open(), id))
    command
      .command('lift')
      .argument('<id>')
      .description('lift a hold')
      .action((id: string) => lift(open(), id))
  },
}
