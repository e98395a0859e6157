import { adminApi, type Pin } from '../remote/api.ts'
import { confirmOrRefuse } from '../confirm.ts'
import { CliFailure } from '../failure.ts'
import type { Invocation } from '../invocation.ts'
import { printableLines } from '../terminal/printable.ts'
import type { Output } from '../terminal/output.ts'
import type { Tone } from '../terminal/table.ts'

const toneOf: Readonly<Record<string, Tone>> = { approved: 'good', new: 'warn', changed: 'bad' }

function shortHash(hash: string | null | undefined): string {
  return (hash ?? '').slice(0, 12)
}

function parameterNames(schema: unknown): string {
  const { properties, required } = (schema ?? {}) as { properties?: object; required?: unknown }
  const needed = Array.isArray(required) ? required : []
  return Object.keys(properties ?? {})
    .map((name) => (needed.includes(name) ? name : `${name}?`))
    .join(', ')
}

/** The whole definition as the model would read it: a hidden instruction hides in the part that is not shown. */
function showTool(output: Output, pin: Pin): void {
  output.line({ text: pin.tool, tone: 'strong' }, '  ', { text: pin.status, tone: toneOf[pin.status] ?? 'warn' })
  const { description, inputSchema, ...rest } = pin.definition ?? {}
  for (const line of printableLines(description ?? '(no description)')) output.line('    ', line)
  output.line('    ', { text: `parameters: ${parameterNames(inputSchema) || 'none'}`, tone: 'dim' })
  output.line('    ', { text: `definition: ${JSON.stringify({ inputSchema, ...rest })}`, tone: 'dim' })
  const hashes =
    pin.status === 'changed'
      ? `${shortHash(pin.approvedHash)} approved, ${shortHash(pin.seenHash)} now`
      : shortHash(pin.seenHash)
  output.line('    ', { text: `sha256: ${hashes}`, tone: 'dim' })
}

export async function reviewTools(invocation: Invocation, name: string, options: { all?: boolean }): Promise<void> {
  const { output, signedIn } = invocation
  const pins = await adminApi(await signedIn()).upstreams.review(name)
  output.result(pins, () => {
    const shown = options.all === true ? pins : pins.filter((pin) => pin.status !== 'approved')
    shown.forEach((pin) => showTool(output, pin))
    const approvedCount = pins.filter((pin) => pin.status === 'approved').length
    output.note(`${pins.length} tools: ${approvedCount} approved, ${pins.length - approvedCount} waiting`)
    if (approvedCount < pins.length) output.note(`next: \`castellan upstream approve ${name} <tools>\`, or --all`)
  })
}

async function chooseTools(invocation: Invocation, waiting: readonly Pin[]): Promise<string[]> {
  waiting.forEach((pin) => showTool(invocation.output, pin))
  return invocation.prompts.pick(
    'Approve which tools? (space marks, enter confirms)',
    waiting.map((pin) => ({ value: pin.tool, label: pin.tool, hint: pin.status })),
    { instead: 'name the tools, or pass --all' },
  )
}

/** Approves by name and by hash: a definition that changes after it was read here is not approved. */
export async function approveTools(
  invocation: Invocation,
  name: string,
  options: { tools: readonly string[]; all?: boolean },
): Promise<void> {
  const { output } = invocation
  const { upstreams } = adminApi(await invocation.signedIn())
  const pins = await upstreams.tools(name)
  const waiting = pins.filter((pin) => pin.status !== 'approved')
  const unknown = options.tools.find((tool) => !pins.some((pin) => pin.tool === tool))
  if (unknown !== undefined) {
    const hint = `see \`castellan upstream review ${name}\``
    throw new CliFailure('notFound', 'cli.unknown-tool', `no tool \`${unknown}\` has been seen at \`${name}\``, hint)
  }
  if (pins.length === 0) {
    const hint = `run \`castellan upstream review ${name}\` first`
    throw new CliFailure('conflict', 'cli.not-reviewed', `nothing has been seen of \`${name}\` yet`, hint)
  }
  let tools = options.all === true ? waiting.map((pin) => pin.tool) : options.tools
  if (tools.length === 0 && options.all !== true && waiting.length > 0) tools = await chooseTools(invocation, waiting)
  const hashes = Object.fromEntries(
    pins.filter((pin) => tools.includes(pin.tool)).map((pin) => [pin.tool, pin.seenHash] as const),
  )
  if (tools.length > 0) await upstreams.approve(name, { tools, hashes })
  output.result({ upstream: name, approved: tools }, () =>
    output.line(tools.length === 0 ? 'nothing to approve' : `approved ${tools.join(', ')}`),
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
