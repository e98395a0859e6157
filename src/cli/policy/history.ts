import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { showTime } from '../duration.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { finish } from './changes.ts'
import { changesApi, type PastSnapshot } from './changes-api.ts'
import { refuseUnfit, showChecked, showItems } from './show-checked.ts'

async function api({ signedIn }: Invocation) {
  return changesApi(await signedIn())
}

/** @throws CliFailure `cli.bad-version` */
function readVersion(text: string): number {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text)
  const hint = '`castellan policy history` shows the snapshots there are'
  throw new CliFailure('usage', 'cli.bad-version', `\`${text}\` is not the number of a snapshot`, hint)
}

const ways: Readonly<Record<string, (from: NonNullable<PastSnapshot['cameFrom']>) => string>> = {
  seeded: () => 'shipped roles',
  role: ({ role }) => `role ${role ?? ''}`,
  folder: () => 'folder',
  snapshot: ({ version }) => `back to ${version ?? ''}`,
  recompiled: () => 'another version of castellan',
}

function wayOf({ cameFrom }: PastSnapshot): string {
  return cameFrom === null ? '' : (ways[cameFrom.kind]?.(cameFrom) ?? cameFrom.kind)
}

async function history(invocation: Invocation, options: { before?: string }): Promise<void> {
  const { output } = invocation
  const query = options.before === undefined ? {} : { before: readVersion(options.before) }
  const found = await (await api(invocation)).history(query)
  output.result(found, () =>
    output.table(
      found,
      [
        { title: 'SNAPSHOT', cell: (one) => String(one.version), isFixed: true },
        { title: 'SINCE', cell: (one) => showTime(one.createdAt) ?? '', isFixed: true },
        { title: 'FROM', cell: wayOf },
        { title: 'AUTHOR', cell: (one) => one.author ?? 'castellan' },
        { title: 'PUBLISHER', cell: (one) => one.publisher ?? 'castellan' },
        { title: 'NOTE', cell: (one) => one.note },
      ],
      'no snapshots',
    ),
  )
}

async function show(invocation: Invocation, text: string | undefined): Promise<void> {
  const { output } = invocation
  const changes = await api(invocation)
  const version = text === undefined ? (await changes.current()).version : readVersion(text)
  const found = await changes.snapshot(version)
  output.result(found, () => {
    for (const line of found.cedar.trimEnd().split('\n')) output.line(line)
  })
}

async function diff(invocation: Invocation, from: string, to: string | undefined): Promise<void> {
  const { output } = invocation
  const changes = await api(invocation)
  const end = to === undefined ? (await changes.current()).version : readVersion(to)
  const items = await changes.diff({ from: readVersion(from), to: end })
  output.result(items, () => {
    showItems(output, items, true)
    if (items.length === 0) output.line(`snapshots ${from} and ${end} say the same`)
  })
}

interface BackOptions {
  readonly now?: boolean
  readonly note?: string
  readonly acceptWarnings?: boolean
  readonly yes?: boolean
}

async function rollBack(invocation: Invocation, text: string, options: BackOptions): Promise<void> {
  const { output } = invocation
  const version = readVersion(text)
  const { note = '', acceptWarnings = false } = options
  const isSure = options.yes === true
  const changes = await api(invocation)
  if (options.now === true) {
    await confirmOrRefuse(invocation, `Go back to snapshot ${version} without lint, tests or a second person?`, isSure)
    const snapshot = await changes.rollBackNow({ version, note })
    output.result({ ...snapshot, published: true }, () =>
      output.line(`policy snapshot ${snapshot.version} is in force, which says what ${version} said`),
    )
    return
  }
  const draft = await changes.rollBack({ version, note })
  const { now, isFourEyes } = await changes.drafts.show(draft.id)
  if (!output.isJson) showChecked(output, now, false)
  refuseUnfit(now, acceptWarnings)
  await confirmOrRefuse(invocation, `Go back to what snapshot ${version} said?`, isSure)
  await finish(invocation, draft, { isFourEyes, acceptWarnings })
}

export const historyCommands: CommandPlug = {
  examples: [
    'castellan policy history',
    'castellan policy show',
    'castellan policy diff 3 4',
    "castellan policy rollback 3 --note 'the new rules stop payroll'",
    "castellan policy rollback 7 --now --note 'incident 12' --yes",
  ],
  declare(command, open) {
    command
      .command('history')
      .description('the snapshots of the policy, newest first: who made and who published them')
      .option('--before <snapshot>', 'only older ones')
      .action((options: { before?: string }) => history(open(), options))
    command
      .command('show')
      .argument('[snapshot]')
      .description('print the rules of a snapshot as Cedar text; of the one in force unless told')
      .action((text?: string) => show(open(), text))
    command
      .command('diff')
      .argument('<from>')
      .argument('[to]')
      .description('show what one snapshot differs in from another, or from the one in force')
      .action((from: string, to?: string) => diff(open(), from, to))
    command
      .command('rollback')
      .argument('<snapshot>')
      .description('go back to what an older snapshot said, as a new one')
      .option('--now', 'to the snapshot before, at once: no lint, no tests, no second person; it is recorded as that')
      .option('--note <text>', 'why; it is recorded')
      .option('--accept-warnings', 'in spite of warnings')
      .option('--yes', 'do not ask')
      .action((text: string, options: BackOptions) => rollBack(open(), text, options))
  },
}
