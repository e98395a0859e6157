import { statSync } from 'node:fs'
import type { CommandPlug } from '../command.ts'
import { readCount, readDuration, showTime } from '../duration.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import type { Output } from '../terminal/output.ts'
import { readPolicyFolder } from './policy-folder.ts'
import { type AskedReplay, type ChangedCall, replayApi, type Summary, type Target } from './replay-api.ts'

interface ReplayOptions {
  readonly since?: string
  readonly until?: string
  readonly person?: string
  readonly upstream?: string
  readonly tool?: string
  readonly decision?: string
  readonly limit?: string
  readonly before?: string
  readonly prune?: boolean
  readonly failOn?: string
}

const failing = ['loosened', 'tightened', 'any'] as const
type Failing = (typeof failing)[number]

/** `30d` ago, or the moment that is given. */
export function momentOf(text: string, nowMs: number): string {
  if (/^\d+[smhd]$/.test(text)) return new Date(nowMs - readDuration(text) * 1_000).toISOString()
  const ms = Date.parse(text)
  if (Number.isFinite(ms)) return new Date(ms).toISOString()
  const hint = 'write how long ago, e.g. 30d, or a time such as 2026-07-15T08:00:00Z'
  throw new CliFailure('usage', 'cli.bad-moment', `\`${text}\` is no moment`, hint)
}

function failOnOf(text: string | undefined): Failing | undefined {
  const found = failing.find((one) => one === text)
  if (text === undefined || found !== undefined) return found
  throw new CliFailure('usage', 'cli.bad-fail-on', `\`${text}\` is no change`, `use one of ${failing.join(', ')}`)
}

function askedOf(policy: string, options: ReplayOptions, nowMs: number): AskedReplay {
  const { since, until, person, upstream, tool, decision, limit, before, prune } = options
  const isFolder = statSync(policy, { throwIfNoEntry: false })?.isDirectory() === true
  return {
    ...(isFolder ? { folder: { files: readPolicyFolder(policy), prune: prune === true } } : { draft: policy }),
    ...(since !== undefined && { since: momentOf(since, nowMs) }),
    ...(until !== undefined && { until: momentOf(until, nowMs) }),
    ...(person !== undefined && { person }),
    ...(upstream !== undefined && { upstream }),
    ...(tool !== undefined && { tool }),
    ...(decision !== undefined && { decision }),
    ...(limit !== undefined && { mostCalls: readCount(limit, { name: '--limit', min: 1, max: 10_000_000 }) }),
    ...(before !== undefined && {
      before: readCount(before, { name: '--before', min: 1, max: Number.MAX_SAFE_INTEGER }),
    }),
  }
}

/** A target as roles write it. */
export function showTarget({ upstream, kind, name }: Target): string {
  return name === undefined ? upstream : `${upstream}/${kind}s/${name}`
}

const tones = { loosened: 'warn', tightened: 'bad', untold: 'dim' } as const

function showChange(output: Output, { change, seq, time, person, target, before, after, inForce }: ChangedCall): void {
  const rules = after.reasons.map(({ rule, place }) => (place === undefined ? rule : `${rule} (${place})`)).join(', ')
  const remedies = after.remedies.map(({ kind }) => kind)
  const mended = remedies.length === 0 ? '' : `, unless ${[...new Set(remedies)].join(' and ')}`
  // WHY: what the policy in force says as well is no doing of the draft.
  const already = inForce === after.judged ? '  [so says the policy in force already]' : ''
  output.line(
    { text: change.padEnd(10), tone: tones[change] },
    ` ${seq}  ${showTime(time)}  ${person.name}  ${showTarget(target)}  ${before.judged} -> ${after.judged}${mended}: ${rules}${already}`,
  )
}

const mostShown = 10

function showTotals(output: Output, { totals }: Summary): void {
  for (const [title, counts] of [
    ['people', totals.people],
    ['tools', totals.tools],
    ['rules', totals.rules],
  ] as const) {
    if (counts.length === 0) continue
    output.line('')
    output.line({ text: `by ${title}`, tone: 'strong' })
    for (const { name, loosened, tightened, untold } of counts.slice(0, mostShown)) {
      output.line(`  ${name}: ${loosened} loosened, ${tightened} tightened, ${untold} untold`)
    }
    if (counts.length > mostShown) output.line(`  and ${counts.length - mostShown} more`)
  }
}

function showSummary(output: Output, summary: Summary): void {
  const { counts, ended, before, seconds, callsPerSecond } = summary
  showTotals(output, summary)
  output.line('')
  output.facts([
    ['calls', `${counts.calls} in ${seconds} s, ${callsPerSecond} per second`],
    ['unchanged', String(counts.unchanged)],
    ['loosened', `${counts.loosened} that were denied would be allowed`],
    ['tightened', `${counts.tightened} that were allowed would be denied`],
    ['untold', `${counts.untold} rest on what the ledger masks`],
    ['not recorded', counts.notRecorded === 0 ? undefined : `${counts.notRecorded} lack what they were judged by`],
    ['goes on', ended === 'whole' ? undefined : `with --before ${before}`],
  ])
}

function refuseChanged({ counts }: Summary, failOn: Failing | undefined): void {
  const { loosened, tightened, untold } = counts
  // INVARIANT: what cannot be told is no sign that nothing changes.
  const found = { loosened: loosened + untold, tightened: tightened + untold, any: loosened + tightened + untold }
  if (failOn === undefined || found[failOn] === 0) return
  const says = `${loosened} calls would be loosened, ${tightened} tightened, and ${untold} cannot be told`
  throw new CliFailure('conflict', 'cli.replay-changed', says, 'look at the changes above, or leave --fail-on away')
}

async function replay(invocation: Invocation, policy: string, options: ReplayOptions): Promise<void> {
  const { output, signedIn, terminal } = invocation
  const failOn = failOnOf(options.failOn)
  const asked = askedOf(policy, options, terminal.now())
  let summary: Summary | undefined
  for await (const line of replayApi(await signedIn()).replay(asked)) {
    if (line.kind === 'progress') {
      const left = line.secondsLeft === undefined ? '' : `, ${line.secondsLeft} s left`
      output.live(
        `${line.counts.calls} calls, ${line.callsPerSecond} per second, ${Math.floor(line.done * 100)} %${left}`,
      )
      continue
    }
    output.live('')
    if (line.kind === 'broken') {
      const hint = 'what was shown is right, and there may be more: run it again'
      throw new CliFailure('remote', line.code, 'the replay broke off', hint)
    }
    if (line.kind === 'summary') summary = line
    output.item(line, () => (line.kind === 'summary' ? showSummary(output, line) : showChange(output, line)))
  }
  if (summary === undefined) {
    throw new CliFailure('remote', 'cli.replay-cut-off', 'the replay broke off', 'run it again')
  }
  refuseChanged(summary, failOn)
}

export const replayCommands: CommandPlug = {
  examples: [
    'castellan policy replay ./policy --since 30d',
    'castellan policy replay ./policy --since 7d --fail-on tightened --json',
    'castellan policy replay <draft> --person bo',
  ],
  declare(command, open) {
    command
      .command('replay')
      .argument('<policy>', 'a policy folder, or the id of a draft')
      .description('which calls of the past would be decided otherwise, newest first')
      .option('--since <time>', 'only calls from then on: 30d, or a time')
      .option('--until <time>', 'only calls before: 1d, or a time')
      .option('--person <name>', 'only of this person or service account')
      .option('--upstream <name>', 'only at this upstream')
      .option('--tool <name>', 'only of this tool')
      .option('--decision <decision>', 'only calls that were allowed, or denied')
      .option('--limit <count>', 'stop after so many calls')
      .option('--before <seq>', 'only earlier entries: where another replay stopped')
      .option('--prune', 'as if roles that are not in the folder were removed')
      .option('--fail-on <change>', 'fail where calls are loosened, tightened, or any of it')
      .action((policy: string, options: ReplayOptions) => replay(open(), policy, options))
  },
}
