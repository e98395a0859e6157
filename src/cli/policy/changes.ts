import type { Command } from 'commander'
import type { CommandPlug } from '../command.ts'
import { confirmOrRefuse } from '../confirm.ts'
import type { Invocation } from '../invocation.ts'
import { changesApi, type Checked, type Draft } from './changes-api.ts'
import { readPolicyFolder } from './policy-folder.ts'
import { refuseUnfit, showChecked, showFindings, showTests } from './show-checked.ts'

interface PublishOptions {
  readonly dryRun?: boolean
  readonly acceptWarnings?: boolean
  readonly prune?: boolean
  readonly note?: string
  readonly diff?: boolean
  readonly yes?: boolean
}

async function api({ signedIn }: Invocation) {
  return changesApi(await signedIn())
}

async function schema(invocation: Invocation): Promise<void> {
  const answer = await (await api(invocation)).schema()
  invocation.output.result(answer, () => {
    for (const line of answer.cedar.trimEnd().split('\n')) invocation.output.line(line)
  })
}

async function check(invocation: Invocation, folder: string, options: { prune?: boolean }) {
  const files = readPolicyFolder(folder)
  invocation.output.live('checking the policy folder')
  const checked = await (await api(invocation)).check({ files, prune: options.prune === true })
  invocation.output.live('')
  return { files, checked }
}

async function lint(invocation: Invocation, folder: string, options: { acceptWarnings?: boolean }): Promise<void> {
  const { checked } = await check(invocation, folder, {})
  const { output } = invocation
  output.result({ findings: checked.findings }, () => {
    showFindings(output, checked.findings)
    if (checked.findings.length === 0) output.line('lint found nothing')
  })
  refuseUnfit({ findings: checked.findings, tests: [] }, options.acceptWarnings === true)
}

async function test(invocation: Invocation, folder: string): Promise<void> {
  const { checked } = await check(invocation, folder, {})
  const { output } = invocation
  const errors = checked.findings.filter(({ severity }) => severity === 'error')
  output.result({ tests: checked.tests, findings: errors }, () => {
    showFindings(output, errors)
    showTests(output, checked.tests)
  })
  refuseUnfit({ findings: errors, tests: checked.tests }, true)
}

async function confirmLosses(invocation: Invocation, { losses }: Checked, options: PublishOptions): Promise<void> {
  const removed = losses.filter(({ isRemoved }) => isRemoved)
  if (removed.length === 0) return
  const holders = new Set(removed.flatMap(({ people }) => people)).size
  const question = `Remove ${removed.map(({ role }) => role).join(', ')}, which ${holders} people have?`
  await confirmOrRefuse(invocation, question, options.yes === true)
}

/** Publishes a draft, or hands it to a second person where two are asked for. */
export async function finish(
  invocation: Invocation,
  draft: Draft,
  { isFourEyes, acceptWarnings }: { isFourEyes: boolean; acceptWarnings: boolean },
): Promise<void> {
  const { output } = invocation
  const { drafts } = await api(invocation)
  if (isFourEyes) {
    const proposed = await drafts.propose(draft.id, { hash: draft.hash, acceptWarnings })
    output.result({ draft: proposed.id, state: proposed.state, published: false }, () => {
      output.line(`draft ${draft.id} waits for a second person`)
      output.note(`another person with roles:write runs \`castellan policy draft approve ${draft.id}\``)
    })
    return
  }
  const published = await drafts.publish(draft.id, { hash: draft.hash, acceptWarnings })
  output.result({ draft: draft.id, state: 'published', published: true, ...published }, () =>
    output.line(`policy snapshot ${published.version} is in force`),
  )
}

async function publish(invocation: Invocation, folder: string, options: PublishOptions): Promise<void> {
  const { output } = invocation
  const { prune = false, acceptWarnings = false, note = '' } = options
  const { files, checked } = await check(invocation, folder, { prune })
  const isWhole = options.diff === true
  const isDry = options.dryRun === true
  if (isDry) output.result(checked, () => showChecked(output, checked, isWhole))
  else if (!output.isJson) showChecked(output, checked, isWhole)
  refuseUnfit(checked, acceptWarnings)
  if (isDry) return
  if (checked.changes.length === 0) {
    const { baseVersion } = checked
    output.result({ published: false, version: baseVersion }, () =>
      output.line(`nothing to publish: snapshot ${baseVersion} says the same`),
    )
    return
  }
  await confirmLosses(invocation, checked, options)
  const draft = await (await api(invocation)).drafts.make({ files, prune, note })
  await finish(invocation, draft, { isFourEyes: checked.isFourEyes, acceptWarnings })
}

function declareChecks(command: Command, open: () => Invocation): void {
  command
    .command('lint')
    .argument('<folder>')
    .description('look for what is wrong in a policy folder, against what is registered at the server')
    .option('--accept-warnings', 'fail for errors alone')
    .action((folder: string, options: { acceptWarnings?: boolean }) => lint(open(), folder, options))
  command
    .command('test')
    .argument('<folder>')
    .description('run the tests of a policy folder')
    .action((folder: string) => test(open(), folder))
}

export const changeCommands: CommandPlug = {
  examples: [
    'castellan policy schema > castellan.cedarschema',
    'castellan policy lint ./policy',
    'castellan policy test ./policy',
    'castellan policy publish ./policy --dry-run --diff',
    "castellan policy publish ./policy --note 'payments need a second look'",
  ],
  declare(command, open) {
    command
      .command('publish')
      .argument('<folder>')
      .description('put a policy folder in force, or hand it to a second person where two change the policy')
      .option('--dry-run', 'only say what would change and what speaks against it; exit code 7 if anything does')
      .option('--diff', 'show the changes line by line')
      .option('--accept-warnings', 'publish in spite of warnings; they are recorded with your name')
      .option('--prune', 'also remove roles that are not in the folder')
      .option('--note <text>', 'what it is for; kept with the snapshot')
      .option('--yes', 'do not ask before roles are removed')
      .action((folder: string, options: PublishOptions) => publish(open(), folder, options))
    declareChecks(command, open)
    command
      .command('schema')
      .description('print the Cedar schema that policies are written against')
      .action(() => schema(open()))
  },
}
