import type { Command } from 'commander'
import type { CommandPlug } from '../command.ts'
import { showTime } from '../duration.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { momentOf } from '../policy/replay.ts'
import type { Output } from '../terminal/output.ts'
import { campaignCommands } from './campaigns.ts'
import { csvLine } from './csv.ts'
import {
  type AccessLine,
  type AccessQuery,
  type Barrier,
  type Evidence,
  type HeldGrant,
  reviewsApi,
  type RoleLine,
  type UnusedLine,
  type Use,
} from './reviews-api.ts'

const usualPeriod = '90d'

interface AccessOptions {
  readonly person?: string
  readonly role?: string
  readonly server?: string
  readonly tool?: string
  readonly since: string
  readonly csv?: boolean
}

function tellEvidence(output: Output, { from, upTo, since, ledgers }: Evidence): void {
  if (Date.parse(from) > Date.parse(since)) output.note(`no evidence before ${showTime(from) ?? ''}`)
  const counted = upTo === null ? 'nothing is counted yet' : `counted up to ${showTime(upTo) ?? ''}`
  output.note(`${counted}, from ${ledgers.length === 1 ? 'one ledger' : `${ledgers.length} ledgers`}`)
}

function useText(use: Use | null): string {
  return use === null
    ? 'never seen'
    : `${use.uses} ${use.uses === 1 ? 'use' : 'uses'}, last ${showTime(use.lastAt) ?? ''} (entry ${use.seq})`
}

function barrierText(barriers: readonly Barrier[]): string {
  return barriers.map(({ place, remedy }) => `${place}${remedy === null ? '' : ` unless ${remedy}`}`).join(', ')
}

function grantText({ permissions, resources, when, stepUp }: HeldGrant): string {
  const demand = `${stepUp ? ' with a fresh factor' : ''}${when === null ? '' : ` when ${when}`}`
  return `${permissions.join(',')} on ${resources.join(',')}${demand}`
}

function assignedText({ how, by, at }: RoleLine['assigned']): string {
  if (how === 'claim') return 'by a claim of an issuer, or formerly assigned'
  const from = how === 'person' ? `by ${by ?? '?'}` : how === 'castellan' ? 'by castellan' : `by ${how} ${by ?? ''}`
  return at === null ? from : `${from} at ${showTime(at) ?? ''}`
}

function showAccess(output: Output, line: AccessLine): void {
  if (line.kind === 'rule') {
    const { rule, barriers, use } = line
    output.line({ text: rule.isFor, tone: 'strong' }, ` by rule ${rule.rule} (${rule.place})`)
    output.line(`  used      ${useText(use)}`)
    if (barriers.length > 0) output.line(`  forbidden by ${barrierText(barriers)}`)
    return
  }
  const { person, role, assigned, hold, grants, use } = line
  const kind = person.kind === 'service' ? ' (service account)' : ''
  const status = person.status === 'active' ? '' : ` [${person.status}]`
  output.line({ text: `${person.name}${kind}`, tone: 'strong' }, `${status} has role ${role}`)
  output.line(`  assigned  ${assignedText(assigned)}`)
  output.line(`  used      ${useText(use)}`)
  if (hold !== null) output.line({ text: `  stopped   by hold ${hold}`, tone: 'bad' })
  for (const grant of grants) {
    output.line(`  grant     ${grantText(grant)} (${grant.place})`)
    output.line({ text: `            ${useText(grant.use)}`, tone: 'dim' })
    if (grant.barriers.length > 0) output.line(`            may be forbidden by ${barrierText(grant.barriers)}`)
  }
}

const accessTitles =
  'person,kind,status,role,rule,place,permissions,resources,step_up,when,assigned_how,assigned_by,assigned_at,hold,barriers,uses,last_used,ledger,entry'

function useCells(use: Use | null): readonly (string | number | null)[] {
  return [use?.uses ?? 0, use?.lastAt ?? null, use?.ledger ?? null, use?.seq ?? null]
}

function* accessRows(line: AccessLine): Generator<readonly (string | number | null)[]> {
  if (line.kind === 'rule') {
    const { rule, barriers, use } = line
    const none = [null, null, null, null, null, null, null, null]
    yield [rule.isFor, 'rule', null, null, rule.rule, rule.place, ...none, barrierText(barriers), ...useCells(use)]
    return
  }
  const { person, role, assigned, hold } = line
  for (const { rule, place, permissions, resources, stepUp, when, barriers, use } of line.grants) {
    yield [
      person.name,
      person.kind,
      person.status,
      role,
      rule,
      place,
      permissions.join(' '),
      resources.join(' '),
      stepUp ? 'yes' : null,
      when,
      assigned.how,
      assigned.by,
      assigned.at,
      hold,
      barrierText(barriers),
      ...useCells(use),
    ]
  }
}

async function access(invocation: Invocation, options: AccessOptions): Promise<void> {
  const { output, signedIn, terminal } = invocation
  const { csv: isCsv = false, since, ...filter } = options
  const query: AccessQuery = { ...filter, since: momentOf(since, terminal.now()) }
  let isFirst = true
  let count = 0
  for await (const page of reviewsApi(await signedIn()).access(query)) {
    if (isFirst) {
      tellEvidence(output, page.evidence)
      if (isCsv) terminal.stdout.write(`${accessTitles}\r\n`)
    }
    isFirst = false
    for (const line of page.items) {
      count += 1
      if (!isCsv) output.item(line, () => showAccess(output, line))
      else for (const row of accessRows(line)) terminal.stdout.write(csvLine(row))
    }
  }
  if (count === 0) output.note('nobody has any of this')
}

const verdicts: Readonly<Record<string, string>> = {
  unused: 'unused',
  'wider-than-used': 'wider than used',
  young: 'too young to tell',
  'no-evidence': 'no evidence for the whole period',
  'not-recorded': 'its use is not recorded by rule',
}

function whatOf({ kind, role, rule, place, person }: UnusedLine): string {
  if (kind === 'assignment') return `${person?.name ?? '?'} has role ${role ?? ''}`
  return kind === 'role' ? `role ${role ?? ''}` : `${kind} ${rule ?? ''} (${place ?? ''})`
}

function showUnused(output: Output, line: UnusedLine): void {
  const { verdict, use, inForceSince, suggestion, kind } = line
  const tone = verdict === 'unused' ? 'warn' : 'dim'
  output.line({ text: verdicts[verdict] ?? verdict, tone }, `  ${whatOf(line)}`)
  const since = inForceSince === null ? 'not known since when' : `since ${showTime(inForceSince) ?? ''}`
  output.line({ text: `  ${kind === 'assignment' ? 'given' : 'in force'} ${since}; ${useText(use)}`, tone: 'dim' })
  if (suggestion === null) return
  output.line(`  enough    ${suggestion.permissions.join(',')} on ${suggestion.resources.join(',')}`)
}

const unusedTitles =
  'kind,verdict,role,rule,place,person,assigned_how,assigned_by,in_force_since,uses,last_used,ledger,entry,enough_permissions,enough_resources'

function unusedRow(line: UnusedLine): readonly (string | number | null)[] {
  const { kind, verdict, role, rule, place, person, assigned, inForceSince, use, suggestion } = line
  return [
    kind,
    verdict,
    role,
    rule,
    place,
    person?.name ?? null,
    assigned?.how ?? null,
    assigned?.by ?? null,
    inForceSince,
    ...useCells(use),
    suggestion?.permissions.join(' ') ?? null,
    suggestion?.resources.join(' ') ?? null,
  ]
}

interface UnusedOptions {
  readonly since: string
  readonly all?: boolean
  readonly csv?: boolean
  readonly failOnUnused?: boolean
}

const shownAlways = new Set(['unused', 'wider-than-used'])

async function unused(invocation: Invocation, options: UnusedOptions): Promise<void> {
  const { output, signedIn, terminal } = invocation
  const { since, all = false, csv: isCsv = false, failOnUnused = false } = options
  const query = { since: momentOf(since, terminal.now()) }
  const counts = { shown: 0, unused: 0, hidden: 0 }
  let isFirst = true
  for await (const page of reviewsApi(await signedIn()).unused(query)) {
    if (isFirst) {
      tellEvidence(output, page.evidence)
      if (isCsv) terminal.stdout.write(`${unusedTitles}\r\n`)
    }
    isFirst = false
    for (const line of page.items) {
      if (line.verdict === 'unused') counts.unused += 1
      if (!all && !shownAlways.has(line.verdict)) {
        counts.hidden += 1
        continue
      }
      counts.shown += 1
      if (isCsv) terminal.stdout.write(csvLine(unusedRow(line)))
      else output.item(line, () => showUnused(output, line))
    }
  }
  if (counts.shown === 0) output.note('nothing is known to be unused')
  if (counts.hidden > 0) output.note(`${counts.hidden} more of which nothing can be told yet: see them with --all`)
  if (!failOnUnused || counts.unused === 0) return
  const hint = 'look at them above, then take them or narrow them'
  throw new CliFailure('conflict', 'cli.review-unused', `${counts.unused} are unused`, hint)
}

function declareReports(command: Command, open: () => Invocation): void {
  command
    .command('access')
    .description('who has access to what, through which role or rule, given by whom, used when')
    .option('--person <name>', 'only of this person or service account')
    .option('--role <name>', 'only through this role')
    .option('--server <name>', 'only to this server')
    .option('--tool <tool>', 'only to this tool: <server>/tools/<name>')
    .option('--since <time>', 'count uses from then on: 30d, or a time', usualPeriod)
    .option('--csv', 'write CSV')
    .action((options: AccessOptions) => access(open(), options))
  command
    .command('unused')
    .description('roles, grants, rules and assignments that let no call pass, and narrower ones that would do')
    .option('--since <time>', 'in the period from then on: 30d, or a time', usualPeriod)
    .option('--all', 'also those of which nothing can be told')
    .option('--csv', 'write CSV')
    .option('--fail-on-unused', 'fail where something is unused')
    .action((options: UnusedOptions) => unused(open(), options))
}

export const review: CommandPlug = {
  examples: [
    'castellan review access --tool payments/tools/transfer',
    'castellan review access --person bo --json',
    'castellan review access --csv > access.csv',
    'castellan review unused --since 90d',
    ...campaignCommands.examples,
  ],
  declare(program, open) {
    const command = program.command('review').description('who has access to what, who uses it, and who still needs it')
    declareReports(command, open)
    campaignCommands.declare(command, open)
  },
}
