import { adminApi, type Pin, type ToolDifference } from '../remote/api.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { type ClassifyOptions, saidOf } from './classify-tools.ts'
import { shortHash, showDifferences, showTools } from './show-tools.ts'

function isWaiting({ status }: Pin): boolean {
  return status !== 'approved'
}

/** Whether a tool can be approved among others, without a word of its own. */
function isPlain({ reasons = [], status }: Pin): boolean {
  const isSetAside = status === 'quarantined' || reasons.some(({ kind }) => kind === 'rejected')
  return !isSetAside && reasons.every(({ weight }) => weight === 'note')
}

function noteCounts({ output }: Invocation, name: string, pins: readonly Pin[]): void {
  const waiting = pins.filter(isWaiting)
  output.note(`${pins.length} tools: ${pins.length - waiting.length} approved, ${waiting.length} waiting`)
  const [first] = waiting.filter(isPlain)
  if (first !== undefined) {
    const example = `${first.tool}@${shortHash(first.seenHash)}`
    output.note(
      `next: \`castellan upstream approve ${name} ${example}\`, which counts only while it is as shown, or --all`,
    )
  }
  const apart = waiting.filter((pin) => !isPlain(pin)).length
  if (apart > 0) output.note(`${apart} of them ${apart === 1 ? 'is' : 'are'} approved by name only, or not at all`)
}

export async function reviewTools(invocation: Invocation, name: string, options: { all?: boolean }): Promise<void> {
  const { output, signedIn } = invocation
  const pins = await adminApi(await signedIn()).upstreams.review(name)
  output.result(pins, () => {
    const shown = options.all === true ? pins : pins.filter(isWaiting)
    showTools(invocation, shown)
    noteCounts(invocation, name, pins)
  })
}

/** What waits, or one tool, beside what was approved of it. */
export async function diffTools(invocation: Invocation, name: string, tool: string | undefined): Promise<void> {
  const { output, signedIn } = invocation
  const found = await adminApi(await signedIn()).upstreams.differences(name, tool === undefined ? {} : { tool })
  output.result(found, () => {
    showDifferences(invocation, found)
    if (found.length === 0)
      output.note(`nothing of \`${name}\` waits; \`castellan upstream review ${name}\` asks it again`)
    else if (found.every((one) => !isWaiting(one))) output.note('it is as it was approved')
  })
}

async function chooseTools(invocation: Invocation, waiting: readonly ToolDifference[]): Promise<string[]> {
  showDifferences(invocation, waiting)
  return invocation.prompts.pick(
    'Approve which tools? (space marks, enter confirms)',
    waiting.map((pin) => ({ value: pin.tool, label: pin.tool, hint: pin.status })),
    { instead: 'name the tools, or pass --all' },
  )
}

interface ApproveOptions extends ClassifyOptions {
  /** Names, each with `@` and the start of the hash that was looked at where it was. */
  readonly tools: readonly string[]
  readonly all?: boolean
  readonly despite?: readonly string[]
  readonly yes?: boolean
}

const shortestHash = 8

function findTool(pins: readonly ToolDifference[], name: string, word: string): ToolDifference {
  const at = word.lastIndexOf('@')
  const exact = pins.find((pin) => pin.tool === word)
  const found = exact ?? pins.find((pin) => at > 0 && pin.tool === word.slice(0, at))
  const hint = `see \`castellan upstream review ${name}\``
  if (found === undefined) {
    throw new CliFailure('notFound', 'cli.unknown-tool', `no tool \`${word}\` has been seen at \`${name}\``, hint)
  }
  const hash = exact === undefined ? word.slice(at + 1) : found.seenHash
  if (hash.length >= Math.min(shortestHash, found.seenHash.length) && found.seenHash.startsWith(hash)) return found
  const again = `see \`castellan upstream diff ${name} ${found.tool}\`; its hash begins with ${shortHash(found.seenHash)}`
  throw new CliFailure('conflict', 'cli.tool-moved', `\`${found.tool}\` is not as it was with hash \`${hash}\``, again)
}

async function chosenTools(
  invocation: Invocation,
  pins: readonly ToolDifference[],
  options: ApproveOptions & { name: string },
): Promise<{ tools: readonly ToolDifference[]; isAsked: boolean }> {
  const waiting = pins.filter(isWaiting)
  if (options.all === true) return { tools: waiting.filter(isPlain), isAsked: false }
  const named = new Set(options.tools.map((word) => findTool(pins, options.name, word)))
  if (named.size > 0 || waiting.length === 0) return { tools: [...named], isAsked: false }
  const picked = await chooseTools(invocation, waiting)
  return { tools: waiting.filter(({ tool }) => picked.includes(tool)), isAsked: true }
}

function checkOptions({ all, tools, despite = [] }: ApproveOptions): void {
  const message = all === true && tools.length > 0 ? 'name the tools, or pass --all, not both' : undefined
  const bare = despite.length > 0 && tools.length === 0 ? '--despite is for tools that are named' : undefined
  const wrong = message ?? bare
  if (wrong !== undefined) throw new CliFailure('usage', 'cli.usage', wrong, 'see `castellan upstream approve --help`')
}

/** Shows what is about to be approved, and asks whoever sits at a terminal. */
async function preview(invocation: Invocation, tools: readonly ToolDifference[], isSure: boolean): Promise<void> {
  const { output, prompts } = invocation
  if (!output.isJson) showDifferences(invocation, tools)
  const named = tools.length === 1 ? (tools[0]?.tool ?? '') : `these ${tools.length} tools`
  if (prompts.canAsk && !output.isJson) await confirmOrRefuse(invocation, `Approve ${named} as shown?`, isSure)
}

/** Approves by name and by hash: a definition that changes after it was shown here is not approved. */
export async function approveTools(invocation: Invocation, name: string, options: ApproveOptions): Promise<void> {
  checkOptions(options)
  const say = saidOf(options)
  const { output } = invocation
  const { upstreams } = adminApi(await invocation.signedIn())
  const pins = await upstreams.differences(name, { all: 'true' })
  if (pins.length === 0) {
    const hint = `run \`castellan upstream review ${name}\` first`
    throw new CliFailure('conflict', 'cli.not-reviewed', `nothing has been seen of \`${name}\` yet`, hint)
  }
  const { tools, isAsked } = await chosenTools(invocation, pins, { ...options, name })
  const left = options.all === true ? pins.filter((pin) => isWaiting(pin) && !isPlain(pin)) : []
  if (tools.length > 0 && !isAsked) await preview(invocation, tools, options.yes === true)
  const hashes = Object.fromEntries(tools.map((pin) => [pin.tool, pin.seenHash] as const))
  const names = tools.map(({ tool }) => tool)
  const despite = options.despite?.length
    ? { despite: Object.fromEntries(names.map((tool) => [tool, options.despite ?? []])) }
    : {}
  const classifications = say && Object.fromEntries(tools.map((pin) => [pin.tool, say(pin)] as const))
  const said = classifications === undefined ? {} : { classifications }
  if (names.length > 0) await upstreams.approve(name, { tools: names, hashes, ...despite, ...said })
  output.result(
    { upstream: name, approved: names, hashes, left: left.map(({ tool, reasons }) => ({ tool, reasons })) },
    () => {
      output.line(names.length === 0 ? 'nothing to approve' : `approved ${names.join(', ')}`)
      if (names.length > 0 && say === undefined) {
        output.note(
          `next: \`castellan upstream classify ${name} <tool> --as-suggested\`; until then rules take them for the worst`,
        )
      }
      if (left.length > 0) output.line()
      showDifferences(invocation, left)
      if (left.length > 0)
        output.note(`left as they are: ${left.length}; approve them by name, with the words they need`)
    },
  )
}

export async function rejectTools(
  invocation: Invocation,
  name: string,
  options: { tools: readonly string[]; yes?: boolean },
): Promise<void> {
  await confirmOrRefuse(invocation, `Reject ${options.tools.join(', ')} of ${name}?`, options.yes === true)
  await adminApi(await invocation.signedIn()).upstreams.reject(name, { tools: options.tools })
  invocation.output.result({ upstream: name, rejected: options.tools }, () =>
    invocation.output.line(`rejected ${options.tools.join(', ')}`),
  )
}

/** Asks nothing: what has to be stopped is stopped at once, and an approval brings it back. */
export async function quarantineTools(
  invocation: Invocation,
  name: string,
  options: { tools: readonly string[]; note?: string },
): Promise<void> {
  const { tools, note } = options
  await adminApi(await invocation.signedIn()).upstreams.quarantine(name, {
    tools,
    ...(note === undefined ? {} : { note }),
  })
  invocation.output.result({ upstream: name, quarantined: tools }, () => {
    invocation.output.line(`quarantined ${tools.join(', ')}`)
    invocation.output.note(`to bring one back: \`castellan upstream approve ${name} <tool>\``)
  })
}
