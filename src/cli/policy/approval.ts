import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { showTime } from '../duration.ts'
import type { Invocation } from '../invocation.ts'
import { printableJson } from '../terminal/printable.ts'
import { approvalApi, type WaitingCall, type WaitingLine } from './approvals-api.ts'

async function api({ signedIn }: Invocation) {
  return approvalApi(await signedIn())
}

function thing({ upstream, kind, name }: WaitingLine): string {
  return `${kind} ${name} of ${upstream}`
}

async function list(invocation: Invocation): Promise<void> {
  const calls = await (await api(invocation)).list()
  const { output } = invocation
  output.result(calls, () =>
    output.table(
      calls,
      [
        { title: 'ID', cell: (one) => one.id, isFixed: true },
        { title: 'WHO', cell: (one) => one.person },
        { title: 'WHAT', cell: thing },
        { title: 'UNTIL', cell: (one) => showTime(one.expiresAt) ?? '', isFixed: true },
      ],
      'no call waits for you',
    ),
  )
}

function tell(line: (text: string) => void, call: WaitingCall): void {
  line(`who     ${call.person}${call.client === '' ? '' : `, by ${call.client}`}`)
  line(`what    ${thing(call)}`)
  line(`until   ${showTime(call.expiresAt) ?? ''}`)
  for (const { rule, kind, roles, count, text } of call.rules) {
    const by = roles.length === 0 ? '' : `: ${count} of ${roles.join(', ')}`
    line(`rule    ${rule} asks for ${kind}${by}${text === null ? '' : `: ${text}`}`)
  }
  for (const { name, deed, text } of call.said) line(`said    ${name} ${deed}: ${text}`)
  line('call')
  // WHY: the whole of it, with every character to be seen: what is approved is this and nothing else.
  for (const text of printableJson(JSON.parse(call.call), 2).split('\n')) line(`  ${text}`)
}

async function show(invocation: Invocation, id: string): Promise<void> {
  const call = await (await api(invocation)).show(id)
  invocation.output.result(call, () => tell((text) => invocation.output.line(text), call))
}

interface AnswerOptions {
  readonly reason: string
  readonly yes?: boolean
}

async function approve(invocation: Invocation, id: string, { reason, yes = false }: AnswerOptions): Promise<void> {
  const approvals = await api(invocation)
  if (!yes) {
    tell((text) => invocation.output.say(text), await approvals.show(id))
    await confirmOrRefuse(invocation, 'let exactly this call pass, once?', yes)
  }
  const answered = await approvals.answer(id, 'approve', reason)
  const { output } = invocation
  output.result(answered, () => {
    const left = answered.missing === 1 ? '1 more answer' : `${answered.missing} more answers`
    output.line(answered.missing === 0 ? 'approved: the call passes once' : `approved: it needs ${left}`)
  })
}

async function deny(invocation: Invocation, id: string, { reason }: AnswerOptions): Promise<void> {
  const answered = await (await api(invocation)).answer(id, 'deny', reason)
  invocation.output.result(answered, () => invocation.output.line('denied: the call does not pass'))
}

export const approval: CommandPlug = {
  examples: [
    'castellan approval list',
    'castellan approval show <id>',
    "castellan approval approve <id> --reason 'invoice 4711, checked'",
    "castellan approval deny <id> --reason 'wrong account'",
  ],
  declare(program, open) {
    const command = program.command('approval').description('calls of others that wait for your approval')

    command
      .command('list')
      .description('list the calls that you may approve and have not answered')
      .action(() => list(open()))
    command
      .command('show')
      .argument('<id>')
      .description('show a call completely: what is approved is this and nothing else')
      .action((id: string) => show(open(), id))
    command
      .command('approve')
      .argument('<id>')
      .description('show a call and let it pass once')
      .requiredOption('--reason <text>', 'why; it is recorded')
      .option('--yes', 'do not show it and do not ask')
      .action((id: string, options: AnswerOptions) => approve(open(), id, options))
    command
      .command('deny')
      .argument('<id>')
      .description('deny a call; one denial is enough')
      .requiredOption('--reason <text>', 'why; it is recorded')
      .action((id: string, options: AnswerOptions) => deny(open(), id, options))
  },
}
