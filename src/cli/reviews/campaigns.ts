import type { Command } from 'commander'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { readCount, readDuration, showTime } from '../duration.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { momentOf } from '../policy/replay.ts'
import type { Output } from '../terminal/output.ts'
import { csvLine } from './csv.ts'
import { type Item, type PlainItem, reviewsApi, type Subject, type WholeCampaign } from './reviews-api.ts'

async function api({ signedIn }: Invocation) {
  return reviewsApi(await signedIn())
}

/** In `14d`, or at the moment that is given. */
function dueOf(text: string, nowMs: number): string {
  if (/^\d+[smhd]$/.test(text)) return new Date(nowMs + readDuration(text) * 1_000).toISOString()
  const ms = Date.parse(text)
  if (Number.isFinite(ms)) return new Date(ms).toISOString()
  const hint = 'write in how long, e.g. 14d, or a time such as 2026-07-15T08:00:00Z'
  throw new CliFailure('usage', 'cli.bad-moment', `\`${text}\` is no moment`, hint)
}

interface CreateOptions {
  readonly due: string
  readonly kind: readonly string[]
  readonly role: readonly string[]
  readonly server: readonly string[]
  readonly label: readonly string[]
  readonly person: readonly string[]
  readonly reviewer: readonly string[]
  readonly whenDue?: string
  readonly since?: string
}

function tell(output: Output, campaign: WholeCampaign): void {
  const { counts, evidence } = campaign
  output.facts([
    ['campaign', campaign.id],
    ['name', campaign.name],
    ['state', campaign.isOverdue ? { text: `${campaign.state}, overdue`, tone: 'warn' } : campaign.state],
    ['due', showTime(campaign.dueAt)],
    ['unanswered', `${campaign.whenDue === 'open' ? 'stays open' : campaign.whenDue} when due`],
    ['snapshot', String(campaign.snapshotVersion)],
    ['evidence', `from ${showTime(evidence.from) ?? ''} up to ${showTime(evidence.upTo) ?? 'nothing'}`],
    [
      'items',
      Object.entries(counts)
        .map(([state, count]) => `${count} ${state}`)
        .join(', '),
    ],
    ['draft', campaign.draft ?? undefined],
    ['closed', showTime(campaign.closedAt)],
    ['sha256', campaign.exportHash ?? undefined],
  ])
}

async function create(invocation: Invocation, name: string, options: CreateOptions): Promise<void> {
  const now = invocation.terminal.now()
  const { due, kind, role, server, label, person, reviewer, whenDue, since } = options
  const begun = await (
    await api(invocation)
  ).begin({
    name,
    kinds: kind,
    roles: role,
    servers: server,
    labels: label,
    people: person,
    reviewers: reviewer,
    dueAt: dueOf(due, now),
    ...(whenDue !== undefined && { whenDue }),
    ...(since !== undefined && { since: momentOf(since, now) }),
  })
  invocation.output.result(begun, () => tell(invocation.output, begun))
}

async function list(invocation: Invocation, { before }: { readonly before?: string }): Promise<void> {
  const { output } = invocation
  const { items, next } = await (await api(invocation)).list(before === undefined ? {} : { before })
  output.result(items, () =>
    output.table(
      items,
      [
        { title: 'ID', cell: (one) => one.id, isFixed: true },
        { title: 'NAME', cell: (one) => one.name },
        { title: 'STATE', cell: (one) => (one.isOverdue ? 'overdue' : one.state), isFixed: true },
        { title: 'DUE', cell: (one) => showTime(one.dueAt) ?? '', isFixed: true },
      ],
      'no campaigns; begin one with `castellan review campaign create <name> --due 14d`',
    ),
  )
  if (next !== null) output.note(`older ones: \`castellan review campaign list --before ${next}\``)
}

function aboutOf(subject: Subject): string {
  if (subject.kind === 'assignment') return `${subject.person.name} has role ${subject.role}`
  if (subject.kind === 'account') {
    return `service account ${subject.person.name} has ${subject.roles.map(({ role }) => role).join(', ')}`
  }
  const { permissions, resources, when } = subject.grant
  const only = when === undefined ? '' : ` when ${when}`
  return `role ${subject.role} grants ${permissions.join(',')} on ${resources.join(',')}${only}`
}

function usedOf({ evidence: { lastAt, uses, seq } }: PlainItem): string {
  return lastAt === null
    ? 'never seen'
    : `${uses} ${uses === 1 ? 'use' : 'uses'}, last ${showTime(lastAt) ?? ''} (entry ${seq ?? ''})`
}

function stateOf({ state, outcome }: PlainItem): string {
  return outcome?.byName === undefined ? state : `${state} by ${outcome.byName}`
}

interface ShowOptions {
  readonly state?: string
  readonly after?: string
}

async function show(invocation: Invocation, id: string, { state, after = '0' }: ShowOptions): Promise<void> {
  const { output } = invocation
  const reviews = await api(invocation)
  const campaign = await reviews.find(id)
  const from = readCount(after, { name: '--after', min: 0, max: 1_000_000 })
  const page = await reviews.items(id, { after: from, limit: 200, ...(state !== undefined && { state }) })
  output.result({ campaign, items: page.items, next: page.next }, () => {
    tell(output, campaign)
    output.line('')
    output.table(
      page.items,
      [
        { title: '#', cell: (one) => String(one.place), isFixed: true },
        { title: 'ABOUT', cell: (one) => aboutOf(one.subject) },
        { title: 'USED', cell: usedOf },
        { title: 'STATE', cell: stateOf },
      ],
      'no items of this kind',
    )
  })
  if (page.next !== null) output.note(`more: \`castellan review campaign show ${id} --after ${page.next}\``)
}

interface AnswerOptions {
  readonly reason: string
  readonly revision?: string
  readonly yes?: boolean
}

function readPlace(text: string): number {
  return readCount(text, { name: '<item>', min: 1, max: 1_000_000 })
}

/** The item as it is at this moment, unless a revision is given that was looked at. */
async function lookAt(invocation: Invocation, id: string, item: string, { revision }: AnswerOptions) {
  const place = readPlace(item)
  const reviews = await api(invocation)
  const { items } = await reviews.items(id, { after: place - 1, limit: 1 })
  const found = items.find((one) => one.place === place)
  if (found === undefined) {
    const hint = 'see `castellan review campaign show`'
    throw new CliFailure('notFound', 'review.item-unknown', `the campaign has no item ${place}`, hint)
  }
  const max = Number.MAX_SAFE_INTEGER
  const seen = revision === undefined ? found.revision : readCount(revision, { name: '--revision', min: 1, max })
  return { reviews, place, found, seen }
}

function sayItem({ output }: Invocation, item: Item): void {
  output.say(`${aboutOf(item.subject)}; ${usedOf(item)}`)
}

async function decide(
  invocation: Invocation,
  [id, item, decision]: readonly [string, string, string],
  options: AnswerOptions,
): Promise<void> {
  if (decision !== 'keep' && decision !== 'revoke') {
    throw new CliFailure('usage', 'cli.bad-decision', `\`${decision}\` is no decision`, 'write keep or revoke')
  }
  const { reviews, place, found, seen } = await lookAt(invocation, id, item, options)
  if (options.yes !== true) {
    sayItem(invocation, found)
    await confirmOrRefuse(invocation, decision === 'keep' ? 'keep it?' : 'take it?', false)
  }
  const decided = await reviews.decide(id, place, { decision, revision: seen, reason: options.reason })
  invocation.output.result(decided, () => {
    const { done = '', source } = decided.outcome ?? {}
    invocation.output.line(`${decided.state}: ${done}`)
    if (source !== undefined) invocation.output.note(`it was given by ${source}: take it there too, or it comes back`)
  })
}

async function delegate(
  invocation: Invocation,
  [id, item, person]: readonly [string, string, string],
  options: AnswerOptions,
): Promise<void> {
  const { reviews, place, seen } = await lookAt(invocation, id, item, options)
  const handed = await reviews.delegate(id, place, { to: person, revision: seen, reason: options.reason })
  invocation.output.result(handed, () => invocation.output.line(`item ${place} is for ${person} to review`))
}

interface CloseOptions {
  readonly leaveOpen?: boolean
  readonly yes?: boolean
}

async function close(
  invocation: Invocation,
  id: string,
  { leaveOpen = false, yes = false }: CloseOptions,
): Promise<void> {
  await confirmOrRefuse(invocation, `Close campaign ${id} for good?`, yes)
  const closed = await (await api(invocation)).close(id, { leaveOpen })
  invocation.output.result(closed, () => tell(invocation.output, closed))
  if (closed.draft === null) return
  invocation.output.note(
    `revoked grants wait in draft ${closed.draft}: \`castellan policy draft show ${closed.draft}\``,
  )
}

const titles = 'item,kind,about,state,decided_by,decided_at,reason,outcome,source,uses,last_used,ledger,entry\r\n'

function timeCell(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

function csvOf({ place, subject, state, decidedAt, reason, outcome, evidence }: PlainItem): string {
  const { uses, lastAt, ledger, seq } = evidence
  return csvLine([
    place,
    subject.kind,
    aboutOf(subject),
    state,
    outcome?.byName,
    timeCell(decidedAt),
    reason,
    outcome?.done,
    outcome?.source,
    uses,
    timeCell(lastAt),
    ledger,
    seq,
  ])
}

async function exportAll(
  invocation: Invocation,
  id: string,
  { csv: isCsv = false }: { readonly csv?: boolean },
): Promise<void> {
  const { output, terminal } = invocation
  let isWhole = false
  if (isCsv) terminal.stdout.write(titles)
  for await (const line of (await api(invocation)).export(id)) {
    if (line.kind === 'broken') break
    if (line.kind === 'end') isWhole = true
    if (!isCsv) output.jsonLine(line)
    else if (line.kind === 'item') terminal.stdout.write(csvOf(line.item))
    else if (line.kind === 'end') output.note(`${line.items} items, sha256 ${line.sha256}`)
  }
  if (isWhole) return
  throw new CliFailure('remote', 'cli.export-cut-off', 'the export broke off', 'run it again')
}

function many(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

function declareCreate(command: Command, open: () => Invocation): void {
  command
    .command('create')
    .argument('<name>')
    .description('begin a campaign: its items are what people, roles and service accounts have at this moment')
    .requiredOption('--due <time>', 'up to when it is to be answered: 14d, or a time')
    .option('--kind <kind>', 'assignment, grant or account; repeat it; all unless told', many, [])
    .option('--role <name>', 'only about this role; repeat it', many, [])
    .option('--server <name>', 'only about what reaches this server; repeat it', many, [])
    .option(
      '--label <label>',
      'only servers with it, e.g. sensitivity:restricted or data:personal; repeat it',
      many,
      [],
    )
    .option('--person <name>', 'only of this person or service account; repeat it', many, [])
    .option('--reviewer <name>', 'who reviews; owners unless told; repeat it', many, [])
    .option('--when-due <what>', 'open, keep or revoke what nobody answered; open unless told')
    .option('--since <time>', 'show uses from then on: 90d, or a time')
    .action((name: string, options: CreateOptions) => create(open(), name, options))
}

function declareAnswers(command: Command, open: () => Invocation): void {
  const answer = (name: string, last: string) =>
    command
      .command(name)
      .argument('<campaign>')
      .argument('<item>')
      .argument(last)
      .option('--reason <text>', 'why; it is recorded', '')
      .option('--revision <number>', 'only if the item is as it was then')
  answer('decide', '<decision>')
    .description('keep or revoke what an item is about')
    .option('--yes', 'do not show it and do not ask')
    .action((...[id, item, decision, options]: [string, string, string, AnswerOptions]) =>
      decide(open(), [id, item, decision], options),
    )
  answer('delegate', '<person>')
    .description('hand an item to another reviewer')
    .action((...[id, item, person, options]: [string, string, string, AnswerOptions]) =>
      delegate(open(), [id, item, person], options),
    )
}

export const campaignCommands: CommandPlug = {
  examples: [
    'castellan review campaign create q3 --due 14d --label sensitivity:restricted',
    'castellan review campaign list',
    'castellan review campaign show <campaign> --state open',
    "castellan review campaign decide <campaign> 4 revoke --reason 'left the team'",
    'castellan review campaign delegate <campaign> 4 bea',
    'castellan review campaign close <campaign> --yes',
    'castellan review campaign export <campaign> --csv > q3.csv',
  ],
  declare(parent, open) {
    const command = parent.command('campaign').description('people look at who has access, item by item, up to a date')
    declareCreate(command, open)
    command
      .command('list')
      .description('campaigns, newest first')
      .option('--before <campaign>', 'only older ones')
      .action((options: { before?: string }) => list(open(), options))
    command
      .command('show')
      .argument('<campaign>')
      .description('a campaign and its items')
      .option('--state <state>', 'only open, kept, revoked, unanswered or gone ones')
      .option('--after <item>', 'only items after this one')
      .action((id: string, options: ShowOptions) => show(open(), id, options))
    declareAnswers(command, open)
    command
      .command('close')
      .argument('<campaign>')
      .description('close it for good; revoked grants become one draft of the policy')
      .option('--leave-open', 'record what nobody answered as unanswered, and leave it')
      .option('--yes', 'do not ask')
      .action((id: string, options: CloseOptions) => close(open(), id, options))
    command
      .command('export')
      .argument('<campaign>')
      .description('who decided what, when and by which evidence, of a closed campaign')
      .option('--csv', 'write CSV; JSON lines unless told')
      .action((id: string, options: { csv?: boolean }) => exportAll(open(), id, options))
  },
}
