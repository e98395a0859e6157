import { showTime } from '../duration.ts'
import type { Invocation } from '../invocation.ts'
import type { Change, Pin, Reason, ToolDifference } from '../remote/api.ts'
import { sayClassification } from './classify-tools.ts'
import type { Span, Tone } from '../terminal/table.ts'
import { wrapSpans } from '../terminal/wrap.ts'

const toneOf: Readonly<Record<Pin['status'], Tone>> = {
  approved: 'good',
  new: 'warn',
  changed: 'bad',
  quarantined: 'bad',
}
const indent = '    '
const contextWords = 8

/** How much of a hash tells two definitions apart for people; the whole is compared all the same. */
export function shortHash(hash: string | null | undefined): string {
  return (hash ?? '').slice(0, 12)
}

/** Joiners, selectors and fillers too are shown here: whoever approves a definition sees every character of it. */
function revealed(text: string): string {
  return text
    .replace(
      /\u034f|\u17b4|\u17b5|[\u180b-\u180f]|\u200c|\u200d|\u2800|\ufe0f|[\u{1d173}-\u{1d17a}]/gu,
      (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    )
    .replace(/\r\n|\n|\r/g, '↵')
}

function writer({ output, terminal }: Invocation) {
  const cells = terminal.stdout.isTTY === true ? (terminal.stdout.columns ?? 80) : Infinity
  return (level: number, spans: readonly Span[]): void => {
    const margin = indent.repeat(level)
    for (const line of wrapSpans(spans, Math.max(20, cells - margin.length))) output.line(margin, ...line)
  }
}

type Write = ReturnType<typeof writer>

function reasonSpans({ weight, key, says }: Reason): Span[] {
  if (weight === 'note') return [{ text: `why: ${revealed(says)}`, tone: 'dim' }]
  if (weight === 'never') return [{ text: `cannot be approved: ${revealed(says)}`, tone: 'bad' }]
  return [
    { text: `warning: ${revealed(says)}`, tone: 'warn' },
    { text: `; needs --despite ${key}`, tone: 'dim' },
  ]
}

function parameterNames(schema: unknown): string {
  const { properties, required } = (schema ?? {}) as { properties?: object; required?: unknown }
  const needed = Array.isArray(required) ? required : []
  return Object.keys(properties ?? {})
    .map((name) => (needed.includes(name) ? name : `${name}?`))
    .join(', ')
}

function showHashes(write: Write, pin: Pin): void {
  const isChanged = pin.approvedHash !== null && pin.approvedHash !== undefined && pin.approvedHash !== pin.seenHash
  const by = pin.approvedByName ?? pin.approvedBy
  const whose = by === null || by === undefined ? '' : ` by ${by}`
  const approved = `${shortHash(pin.approvedHash)} approved${whose} ${showTime(pin.approvedAt) ?? ''}`.trim()
  const hashes = isChanged ? `${approved}, ${shortHash(pin.seenHash)} now` : shortHash(pin.seenHash)
  write(1, [{ text: `sha256: ${hashes}`, tone: 'dim' }])
}

function showClassification(write: Write, { classification, classifiedAs, suggestion }: Pin): void {
  if (classification === undefined) return
  const isSaid = JSON.stringify(classification) === JSON.stringify(classifiedAs)
  const counts = isSaid ? 'classified' : 'not classified, counts as'
  write(1, [{ text: `${counts}: ${sayClassification(classification)}`, tone: isSaid ? 'dim' : 'warn' }])
  if (classifiedAs !== null && !isSaid) write(1, [{ text: `before: ${sayClassification(classifiedAs)}`, tone: 'dim' }])
  if (!isSaid) write(1, [{ text: `says of itself: ${sayClassification(suggestion)}`, tone: 'dim' }])
}

function showHead(write: Write, pin: Pin): void {
  write(0, [
    { text: revealed(pin.tool), tone: 'strong' },
    '  ',
    { text: pin.status, tone: toneOf[pin.status] ?? 'warn' },
  ])
  for (const reason of pin.reasons ?? []) write(1, reasonSpans(reason))
}

/** The whole definition as the model would read it: a hidden instruction hides in the part that is not shown. */
function showDefinition(write: Write, pin: Pin): void {
  const { description, inputSchema, ...rest } = pin.definition ?? {}
  const lines = (description ?? '(no description)').split(/\r\n|\n|\r/)
  for (const line of lines) write(1, [revealed(line)])
  write(1, [{ text: `parameters: ${revealed(parameterNames(inputSchema)) || 'none'}`, tone: 'dim' }])
  write(1, [{ text: `definition: ${revealed(JSON.stringify({ inputSchema, ...rest }))}`, tone: 'dim' }])
}

function showEach<Tool>({ output }: Invocation, tools: readonly Tool[], show: (tool: Tool) => void): void {
  for (const [index, tool] of tools.entries()) {
    if (index > 0) output.line()
    show(tool)
  }
}

/** Tools with their definitions as they were seen last. */
export function showTools(invocation: Invocation, tools: readonly Pin[]): void {
  const write = writer(invocation)
  showEach(invocation, tools, (pin) => {
    showHead(write, pin)
    showDefinition(write, pin)
    showClassification(write, pin)
    showHashes(write, pin)
  })
}

/** Words that stayed, far from any change, are left out in the middle. */
function shorten(text: string, place: { isFirst: boolean; isLast: boolean }): string {
  const words = text.match(/\s*\S+|\s+$/g) ?? []
  const [head, tail] = [place.isFirst ? 0 : contextWords, place.isLast ? 0 : contextWords]
  if (words.length <= head + tail + 1) return text
  const before = words.slice(0, head).join('')
  return `${before}${before === '' ? '' : ' '}…${words.slice(words.length - tail).join('')}`
}

function wordSpans(words: NonNullable<Change['words']>): Span[] {
  return words.map(({ kind, text }, index) => {
    if (kind === 'same') return revealed(shorten(text, { isFirst: index === 0, isLast: index === words.length - 1 }))
    const [, space = '', rest = ''] = /^(\s*)([^]*)$/.exec(text) ?? []
    // WHY: without colour the marks alone tell what went and what came.
    return kind === 'removed'
      ? { text: `${space === '' ? '' : ' '}[-${rest === '' ? revealed(space) : revealed(rest)}-]`, tone: 'bad' }
      : { text: `${space === '' ? '' : ' '}{+${rest === '' ? revealed(space) : revealed(rest)}+}`, tone: 'good' }
  })
}

function valueText(value: unknown): string {
  return revealed(JSON.stringify(value) ?? 'null')
}

function showChange(write: Write, { pointer, kind, from, to, words }: Change): void {
  write(1, [
    { text: revealed(pointer === '' ? '/' : pointer), tone: 'strong' },
    { text: ` ${kind}`, tone: 'dim' },
  ])
  if (words !== undefined) return write(2, wordSpans(words))
  if (kind !== 'added') write(2, [{ text: `- ${valueText(from)}`, tone: 'bad' }])
  if (kind !== 'removed') write(2, [{ text: `+ ${valueText(to)}`, tone: 'good' }])
}

/** Tools with their differences from what was approved; the definition where nothing was approved. */
export function showDifferences(invocation: Invocation, tools: readonly ToolDifference[]): void {
  const write = writer(invocation)
  showEach(invocation, tools, (tool) => {
    showHead(write, tool)
    if (tool.approvedHash === null || tool.approvedHash === undefined) showDefinition(write, tool)
    for (const change of tool.changes ?? []) showChange(write, change)
    if (tool.isComplete === false) write(1, [{ text: 'there are more changes than are shown', tone: 'bad' }])
    showClassification(write, tool)
    showHashes(write, tool)
  })
}
