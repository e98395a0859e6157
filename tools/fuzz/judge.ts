/** Decides whether an answer shows a defect, so that a run over many inputs needs no reader. */
import type { Input } from './inputs.ts'
import type { Heard } from './wire.ts'

/** Texts that only the inside of a process knows. */
const internals: readonly RegExp[] = [
  /\bat (?:async )?[\w.<>]+ \(?(?:file:|node:|\/)/,
  /node:internal|node_modules|file:\/\/\//,
  /\b(?:TypeError|RangeError|ReferenceError|SyntaxError|SqliteError|ERR_[A-Z_]{4,})\b/,
  /\bSQLITE_[A-Z]+|no such (?:table|column)|UND_ERR|ECONNRE|EPIPE/,
  /\.(?:ts|js):\d+:\d+/,
  /\[object Object\]/,
]

export interface Finding {
  readonly what: string
  readonly family: string
  /** The first bytes of the input, as printable text. */
  readonly input: string
  readonly answer: string
}

/** What is wrong with an answer; undefined when nothing is. */
function wrongWith(heard: Heard, secrets: readonly string[]): string | undefined {
  if (heard.kind === 'silent') return 'unanswered'
  if (heard.kind === 'closed') return undefined
  if (heard.status === 0) return 'no status line'
  if (heard.status === 500) return 'internal error'
  const leak = internals.find((pattern) => pattern.test(heard.text))
  if (leak !== undefined) return `internals in the answer: ${leak.source}`
  if (secrets.some((secret) => heard.text.includes(secret))) return 'a secret in the answer'
  return undefined
}

/** @param secrets texts that must never come back, as they are */
export function judge(input: Input, heard: Heard, secrets: readonly string[]): Finding | undefined {
  const what =
    wrongWith(heard, secrets) ?? (heard.kind === 'closed' && input.isWhole ? 'closed without an answer' : undefined)
  if (what === undefined) return undefined
  const shown = (text: string): string => JSON.stringify(text.slice(0, 1_500))
  return { what, family: input.family, input: shown(input.bytes.toString('latin1')), answer: shown(heard.text) }
}
