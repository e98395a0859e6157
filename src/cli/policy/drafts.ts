import type { Command } from 'commander'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { showTime } from '../duration.ts'
import type { Invocation } from '../invocation.ts'
import type { Span } from '../terminal/table.ts'
import { changesApi, type Draft } from './changes-api.ts'
import { readPolicyFolder } from './policy-folder.ts'
import { refuseUnfit, showChecked } from './show-checked.ts'

const tones = { draft: 'dim', proposed: 'warn', published: 'good', abandoned: 'dim' } as const

async function api({ signedIn }: Invocation) {
  return changesApi(await signedIn()).drafts
}

function stateOf({ state }: Draft): Span {
  return { text: state, tone: tones[state] }
}

async function list(invocation: Invocation, isAll: boolean): Promise<void> {
  const { output } = invocation
  const open = (one: Draft) => one.state === 'draft' || one.state === 'proposed'
  const drafts = (await (await api(invocation)).list()).filter((one) => isAll || open(one))
  output.result(drafts, () =>
    output.table(
      drafts,
      [
        { title: 'ID', cell: (one) => one.id, isFixed: true },
        { title: 'STATE', cell: stateOf, isFixed: true },
        { title: 'AUTHOR', cell: (one) => one.author.name },
        { title: 'MADE', cell: (one) => showTime(one.createdAt) ?? '', isFixed: true },
        { title: 'NOTE', cell: (one) => one.note },
      ],
      'no drafts; make one with `castellan policy publish <folder>`',
    ),
  )
}

async function show(invocation: Invocation, id: string, isWhole: boolean): Promise<void> {
  const { output } = invocation
  const found = await (await api(invocation)).show(id)
  output.result(found, () => {
    const { draft, now } = found
    output.facts([
      ['draft', draft.id],
      ['state', stateOf(draft)],
      ['author', draft.author.name],
      ['worked on by', draft.editors.map(({ name }) => name).join(', ')],
      ['note', draft.note === '' ? undefined : draft.note],
      [
        'made on',
        `snapshot ${draft.baseVersion}${now.baseVersion === draft.baseVersion ? '' : `, while ${now.baseVersion} is in force`}`,
      ],
      ['hash', draft.hash],
      ['published as', draft.publishedVersion === null ? undefined : `snapshot ${draft.publishedVersion}`],
      ...draft.decisions.map(({ by, decision, at }) => [decision, `${by.name}, ${showTime(at) ?? at}`] as const),
    ])
    showChecked(output, now, isWhole)
    if (draft.state === 'published' || draft.state === 'abandoned') return
    if (!isWhole && now.changes.length > 0) output.note('`--diff` shows the changes line by line')
    output.note(`\`castellan policy replay ${draft.id}\` shows what it would have done to past calls`)
  })
}

interface ApproveOptions {
  readonly acceptWarnings?: boolean
  readonly note?: string
  readonly hash?: string
  readonly yes?: boolean
}

async function approve(invocation: Invocation, id: string, options: ApproveOptions): Promise<void> {
  const { output } = invocation
  const drafts = await api(invocation)
  const { draft, now } = await drafts.show(id)
  if (!output.isJson) showChecked(output, now, true)
  refuseUnfit(now, options.acceptWarnings === true)
  const { note = '', acceptWarnings = false, hash = draft.hash } = options
  await confirmOrRefuse(invocation, `Put this draft of ${draft.author.name} in force?`, options.yes === true)
  const published = await drafts.publish(id, { hash, acceptWarnings, note })
  output.result({ draft: id, published: true, ...published }, () =>
    output.line(`policy snapshot ${published.version} is in force`),
  )
}

async function keep(
  invocation: Invocation,
  { id, folder, prune = false, note = '' }: { id?: string; folder: string; prune?: boolean; note?: string },
): Promise<void> {
  const { output } = invocation
  const drafts = await api(invocation)
  const asked = { files: readPolicyFolder(folder), prune }
  const draft = id === undefined ? await drafts.make({ ...asked, note }) : await drafts.edit(id, asked)
  output.result(draft, () => {
    output.line(`draft ${draft.id} is kept`)
    output.note(`look at it with \`castellan policy draft show ${draft.id}\``)
  })
}

async function propose(invocation: Invocation, id: string, acceptWarnings: boolean): Promise<void> {
  const drafts = await api(invocation)
  const { draft } = await drafts.show(id)
  const proposed = await drafts.propose(id, { hash: draft.hash, acceptWarnings })
  invocation.output.result(proposed, () => invocation.output.line(`draft ${id} waits for a second person`))
}

async function abandon(invocation: Invocation, id: string, note: string): Promise<void> {
  const abandoned = await (await api(invocation)).abandon(id, { note })
  invocation.output.result(abandoned, () => invocation.output.line(`draft ${id} is abandoned`))
}

function declareWork(command: Command, open: () => Invocation): void {
  command
    .command('make')
    .argument('<folder>')
    .description('keep a policy folder as a draft, whatever lint and tests say of it')
    .option('--prune', 'also remove roles that are not in the folder')
    .option('--note <text>', 'what it is for')
    .action((folder: string, options: { prune?: boolean; note?: string }) => keep(open(), { ...options, folder }))
  command
    .command('update')
    .argument('<id>')
    .argument('<folder>')
    .description('replace what a draft says; you cannot publish it then where two change the policy')
    .option('--prune', 'also remove roles that are not in the folder')
    .action((id: string, folder: string, options: { prune?: boolean }) => keep(open(), { ...options, id, folder }))
  command
    .command('propose')
    .argument('<id>')
    .description('hand a draft to a second person')
    .option('--accept-warnings', 'in spite of warnings')
    .action((id: string, options: { acceptWarnings?: boolean }) => propose(open(), id, options.acceptWarnings === true))
}

export const draftCommands: CommandPlug = {
  examples: [
    'castellan policy draft list',
    'castellan policy draft show <id> --diff',
    "castellan policy draft approve <id> --note 'looked at with finance'",
    "castellan policy draft abandon <id> --note 'not needed'",
  ],
  declare(policy, open) {
    const command = policy.command('draft').description('changes of the policy that are not in force')
    command
      .command('list')
      .description('list the drafts that can still be published')
      .option('--all', 'published and abandoned ones too')
      .action((options: { all?: boolean }) => list(open(), options.all === true))
    command
      .command('show')
      .argument('<id>')
      .description('show a draft, what it changes, and what lint and tests say of it')
      .option('--diff', 'show the changes line by line')
      .action((id: string, options: { diff?: boolean }) => show(open(), id, options.diff === true))
    command
      .command('approve')
      .argument('<id>')
      .description('put a draft in force, as the second person where two change the policy')
      .option('--accept-warnings', 'in spite of warnings; they are recorded with your name')
      .option('--note <text>', 'why; it is recorded')
      .option('--hash <hash>', 'of the draft you looked at; otherwise of what is shown first')
      .option('--yes', 'do not ask')
      .action((id: string, options: ApproveOptions) => approve(open(), id, options))
    command
      .command('abandon')
      .argument('<id>')
      .description('give a draft up, or turn it down')
      .option('--note <text>', 'why; it is recorded', '')
      .action((id: string, options: { note: string }) => abandon(open(), id, options.note))
    declareWork(command, open)
  },
}
