import type { Command } from 'commander'
import type { CommandPlug } from '../command.ts'
import { showTime } from '../duration.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import type { Output } from '../terminal/output.ts'
import { type ExplainedCall, type ExplainedRule, type Explanation, type Question, replayApi } from './replay-api.ts'
import { showTarget } from './replay.ts'

interface CircumstanceOptions {
  readonly arguments?: string
  readonly address?: string
  readonly at?: string
  readonly factors?: string
  readonly labels?: string
  readonly consent?: readonly string[]
}

function questionOf(permission: string, target: string, options: CircumstanceOptions): Question {
  const { at, consent, ...told } = options
  const rest = { ...told, ...(consent !== undefined && { consents: JSON.stringify(consent) }) }
  if (at === undefined) return { permission, target, ...rest }
  const ms = Date.parse(at)
  if (Number.isFinite(ms)) return { permission, target, ...rest, at: new Date(ms).toISOString() }
  const hint = 'write a time such as 2026-07-15T08:00:00Z'
  throw new CliFailure('usage', 'cli.bad-moment', `\`${at}\` is no moment`, hint)
}

/** One word for an answer. */
function answerOf({ isAllowed, mayDepend, remedies }: Explanation): string {
  if (isAllowed) return 'allowed'
  if (mayDepend) return 'it depends'
  return remedies.length > 0
    ? `denied, unless ${[...new Set(remedies.map(({ kind }) => kind))].join(' and ')}`
    : 'denied'
}

function showRule(output: Output, { rule, says, place, text, inputs }: ExplainedRule, isFull: boolean): void {
  output.line(`  ${place === undefined ? rule : `${rule} (${place})`}${says === '' ? '' : `: ${says}`}`)
  if (!isFull) return
  for (const [name, value] of Object.entries(inputs ?? {})) output.line(`    ${name} = ${JSON.stringify(value)}`)
  for (const line of (text ?? '').trim().split('\n')) if (line !== '') output.line({ text: `    ${line}`, tone: 'dim' })
}

function showExplanation(output: Output, explanation: Explanation, isFull: boolean): void {
  const { isAllowed, rules, unmet, snapshotVersion } = explanation
  output.line({ text: answerOf(explanation), tone: isAllowed ? 'good' : 'bad' }, ` by snapshot ${snapshotVersion}`)
  for (const rule of rules) showRule(output, rule, isFull)
  for (const rule of isFull ? unmet : []) showRule(output, { ...rule, says: 'would allow it, but is not met' }, true)
}

interface AskedOne {
  readonly person: string
  readonly question: Question
  readonly isFull: boolean
}

async function ask({ output, signedIn }: Invocation, { person, question, isFull }: AskedOne): Promise<void> {
  const answer = await replayApi(await signedIn()).decide({ person, ...question })
  output.result(answer, () => {
    showExplanation(output, answer, isFull)
    if (answer.hold !== null) output.line({ text: `  and hold ${answer.hold} stops it`, tone: 'bad' })
  })
  if (isFull || (answer.isAllowed && answer.hold === null)) return
  throw new CliFailure(
    'denied',
    'cli.cannot',
    `${person} cannot do this`,
    'ask `castellan policy why` for the reasons in full',
  )
}

async function whoCan({ output, signedIn }: Invocation, question: Question): Promise<void> {
  const answer = await replayApi(await signedIn()).whoCan(question)
  const words = { allowed: 'yes', depends: 'depends on arguments or more', remedy: 'after' } as const
  output.result(answer, () => {
    output.table(
      answer.items,
      [
        { title: 'NAME', cell: ({ name }) => name },
        { title: 'KIND', cell: ({ kind }) => (kind === 'service' ? 'service account' : 'person') },
        {
          title: 'MAY',
          cell: ({ answer: word, remedies, hold }) =>
            `${words[word]}${word === 'remedy' ? ` ${[...new Set(remedies.map(({ kind }) => kind))].join(', ')}` : ''}${hold === null ? '' : ', but held'}`,
        },
        { title: 'THROUGH', cell: ({ through }) => through.map(({ rule, place }) => place ?? rule).join(', ') },
      ],
      'nobody may do this: `castellan policy why` tells of one person what is missing',
    )
    if (answer.isCut) output.note('there are more than are shown')
  })
}

const missing: Readonly<Record<string, string>> = {
  'not-recorded': 'the ledger does not hold what it was judged by',
  masked: 'the ledger masks a name that it was judged by',
  'snapshot-unreadable': 'what the snapshot of then was made from is not kept, or not read by this version',
}

function showAll(output: Output, title: string, explained: ExplainedCall['inForce']): void {
  output.line('')
  output.line({ text: title, tone: 'strong' })
  if (typeof explained === 'string') {
    output.line(missing[explained] ?? explained)
    return
  }
  // WHY: where all is allowed, the last is what it was about; else it is what was denied.
  const last = explained.at(-1)
  const about = last?.isAllowed === true ? (explained[1] ?? last) : last
  if (about !== undefined) showExplanation(output, about, true)
}

async function explain({ output, signedIn }: Invocation, named: string): Promise<void> {
  const call = await replayApi(await signedIn()).explain(named)
  const { seq, exchange, person, address, target, refusal, refusedBy, recorded, snapshot } = call
  output.result(call, () => {
    output.facts([
      ['entry', String(seq)],
      ['time', showTime(call.time)],
      ['exchange', exchange ?? undefined],
      ['person', person?.name],
      ['address', address ?? undefined],
      ['call', `${call.method} ${target === null ? '' : showTarget(target)}`],
      ['decision', call.wasAllowed ? 'allowed' : `refused${refusal === null ? '' : ` with ${refusal}`}`],
      ['refused by', refusedBy === null ? undefined : `${refusedBy}, which is no rule of the policy`],
      ['snapshot', snapshot === 0 ? undefined : String(snapshot)],
    ])
    if (recorded.length > 0) {
      output.line('')
      output.line({ text: 'as recorded', tone: 'strong' })
      for (const rule of recorded) showRule(output, rule, true)
    }
    showAll(output, 'by the rules of then', call.past)
    showAll(output, 'by the policy in force', call.inForce)
  })
}

function withCircumstances(command: Command): Command {
  return command
    .option('--arguments <json>', 'arguments of the call; unknown unless given')
    .option('--address <ip>', 'address of the client; unknown unless given')
    .option('--at <time>', 'when; the present unless given')
    .option('--factors <names>', 'factors that were just proved, e.g. password,totp')
    .option('--labels <names>', 'labels that clients of the person have met, e.g. untrusted; none unless given')
    .option('--consent <purposes...>', 'purposes that the person has consented to; none unless given')
}

export const questionCommands: CommandPlug = {
  examples: [
    'castellan policy explain 4711',
    'castellan policy can bo tools:call files/tools/write_file',
    `castellan policy why bo tools:call mail/tools/send --arguments '{"to":"a@example.com"}'`,
    'castellan policy can bo tools:call mail/tools/send --labels untrusted,sensitivity:secret',
    'castellan policy who-can tools:call payments/tools/transfer',
  ],
  declare(command, open) {
    command
      .command('explain')
      .argument('<entry>', 'number of an entry of the ledger, or the id of an exchange')
      .description('why a call of the past was allowed or denied, and what the policy in force says of it')
      .action((entry: string) => explain(open(), entry))
    for (const [name, isFull, description] of [
      ['can', false, 'may this person do this? exit code 5 where not'],
      ['why', true, 'why may this person do this, or not: rules, where they are written, what they read'],
    ] as const) {
      withCircumstances(command.command(name).argument('<person>').argument('<permission>').argument('<target>'))
        .description(description)
        .action((person: string, permission: string, target: string, options: CircumstanceOptions) =>
          ask(open(), { person, question: questionOf(permission, target, options), isFull }),
        )
    }
    withCircumstances(command.command('who-can').argument('<permission>').argument('<target>'))
      .description('which people and service accounts may do this, and through which role or rule')
      .action((permission: string, target: string, options: CircumstanceOptions) =>
        whoCan(open(), questionOf(permission, target, options)),
      )
  },
}
