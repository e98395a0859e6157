import type { CliFailure } from '../failure.ts'
import { printable, printableJson } from './printable.ts'
import { tableLines, type Column, type Span, type Tone } from './table.ts'
import type { Terminal } from './terminal.ts'
import { wrapSpans } from './wrap.ts'

/**
 * What a command says. stdout carries data only; notes, progress and errors go to stderr. Every text is made
 * printable here, so a command cannot pass a terminal escape of somebody else through.
 */
export interface Output {
  readonly isJson: boolean
  readonly isTerminal: boolean
  /** One JSON document with `--json`, otherwise what `show` prints. */
  result(value: unknown, show: () => void): void
  /** One line of a stream: a JSON line with `--json`, otherwise what `show` prints. */
  item(value: unknown, show: () => void): void
  /** One JSON line, whatever the options say. */
  jsonLine(value: unknown): void
  /** One line of data. */
  line(...spans: Span[]): void
  /** A table that fits the terminal; an empty one says what to run instead. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], whenEmpty: string): void
  /** Labels and values, aligned. Values that are undefined are left out. */
  facts(facts: readonly (readonly [label: string, value: Span | undefined])[]): void
  /** A remark on stderr; silent with `--json` and `--quiet`. */
  note(...spans: Span[]): void
  /** A line on stderr that belongs to a dialogue with the person at the terminal: never silent. */
  say(...spans: Span[]): void
  /** Lines this program made itself, with their own colours, e.g. a QR code: to stderr, bytes untouched. */
  art(lines: readonly string[]): void
  /** A line on stderr that the next one replaces; only on a terminal. */
  live(text: string): void
  fail(failure: CliFailure): void
}

const tones: Readonly<Record<Tone, string>> = { good: '32', bad: '31', warn: '33', dim: '2', strong: '1' }

function hasColour(terminal: Terminal, stream: { isTTY?: boolean }): boolean {
  const { NO_COLOR: noColour, FORCE_COLOR: forceColour, TERM: term } = terminal.environment
  if (noColour !== undefined && noColour !== '') return false
  if (forceColour !== undefined && forceColour !== '' && forceColour !== '0') return true
  return stream.isTTY === true && term !== 'dumb'
}

function painter(isColoured: boolean): (span: Span) => string {
  return (span) => {
    if (typeof span === 'string') return printable(span)
    const text = printable(span.text)
    return isColoured && text !== '' ? `\u001b[${tones[span.tone]}m${text}\u001b[0m` : text
  }
}

function createErrorSide(
  terminal: Terminal,
  options: { isJson: boolean; isQuiet: boolean },
): Pick<Output, 'note' | 'say' | 'art' | 'live' | 'fail'> {
  const { stderr } = terminal
  const paint = painter(hasColour(terminal, stderr))
  const pasteable = (text: string): string => text.replaceAll('`castellan ', `\`${programName(terminal.environment)} `)
  const isLive = stderr.isTTY === true && !options.isJson && !options.isQuiet
  let isLineOpen = false
  const clear = (): void => {
    if (isLineOpen) stderr.write('\r\u001b[K')
    isLineOpen = false
  }
  const write = (spans: readonly Span[]): void => {
    clear()
    const maxCells = stderr.isTTY === true ? (stderr.columns ?? 80) : Infinity
    for (const line of wrapSpans(spans, maxCells)) stderr.write(`${line.map(paint).join('')}\n`)
  }
  return {
    note(...spans) {
      if (options.isJson || options.isQuiet) return
      write(spans.map((span) => (typeof span === 'string' ? pasteable(span) : span)))
    },
    say: (...spans) => write(spans),
    art: (lines) => lines.forEach((line) => stderr.write(`${line}\n`)),
    live(text) {
      if (!isLive) return
      clear()
      stderr.write(printable(text).slice(0, Math.max(20, (stderr.columns ?? 80) - 1)))
      isLineOpen = text !== ''
    },
    fail(failure) {
      clear()
      if (options.isJson) {
        const { code, message, hint, requestId } = failure
        stderr.write(
          `${printableJson({ error: { code, message, hint, ...(requestId === undefined ? {} : { request_id: requestId }) } }, 0)}\n`,
        )
        return
      }
      write([{ text: `error[${failure.code}]`, tone: 'bad' }, `: ${failure.message}`])
      if (failure.hint !== '') write(['  ', { text: 'hint', tone: 'dim' }, `: ${pasteable(failure.hint)}`])
    },
  }
}

/** How the person runs this program: what is printed can be pasted. npm and npx say so in the environment. */
export function programName(environment: Terminal['environment']): string {
  return environment['npm_command'] === undefined ? 'castellan' : 'npx castellan'
}

export function createOutput(terminal: Terminal, options: { isJson: boolean; isQuiet: boolean }): Output {
  const { stdout } = terminal
  const paint = painter(hasColour(terminal, stdout))
  const write = (line: string): void => void stdout.write(`${line}\n`)
  const errorSide = createErrorSide(terminal, options)
  return {
    ...errorSide,
    isJson: options.isJson,
    isTerminal: stdout.isTTY === true,
    result(value, show) {
      if (options.isJson) write(printableJson(value, stdout.isTTY === true ? 2 : 0))
      else show()
    },
    item(value, show) {
      if (options.isJson) write(printableJson(value, 0))
      else show()
    },
    jsonLine: (value) => write(printableJson(value, 0)),
    line: (...spans) => write(spans.map(paint).join('')),
    table(rows, columns, whenEmpty) {
      if (rows.length === 0) return errorSide.note(whenEmpty)
      const maxCells = stdout.isTTY === true ? (stdout.columns ?? 80) : Infinity
      tableLines(rows, columns, { maxCells, paint }).forEach(write)
    },
    facts(facts) {
      const shown = facts.filter((fact): fact is readonly [string, Span] => fact[1] !== undefined)
      const labelCells = Math.max(0, ...shown.map(([label]) => label.length))
      for (const [label, value] of shown) {
        write(`${paint({ text: label.padEnd(labelCells), tone: 'dim' })}  ${paint(value)}`)
      }
    },
  }
}
