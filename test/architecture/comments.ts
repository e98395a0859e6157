import { isDoor } from './doors.ts'
import { floors, isTest, roomOf } from './rooms.ts'
import type { CommentText, Source } from './source.ts'

const tickets = String.raw`(?<!PKCS)(?:^|[\s(])#\d+\b|\bissues? (?:no\.? ?)?#?\d+|\b(?:PR|MR) ?#?\d+`
const dates = String.raw`\b(?:19|20)\d\d-\d\d-\d\d\b|\b(?:19|20)\d\d\/\d\d\/\d\d\b|\b(?:January|February|March|April|June|July|August|September|October|November|December) (?:19|20)\d\d\b`
const forbidden: readonly { readonly name: string; readonly pattern: RegExp }[] = [
  { name: 'a ticket', pattern: new RegExp(tickets, 'i') },
  { name: 'a date', pattern: new RegExp(dates) },
  { name: 'a note to do', pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/ },
  { name: 'history', pattern: /\b(?:previously|formerly|no longer|used to be|temporar(?:y|ily)|legacy code)\b/i },
  { name: 'the moment of writing', pattern: /(?<![.`'"\w]|(?:right|and|until|than) )now(?![`'"\w(])/ },
  { name: 'a name', pattern: /@author\b|co-authored/i },
]

/** Revisions of the Model Context Protocol are named by dates: they are names, not history. */
const revisions = /\b(?:2024-11-05|2025-03-26|2025-06-18|2025-11-25|2026-07-28)\b/g

/** House words on comments: no tickets, names, dates or history. */
export function commentsTellHistory(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    source.comments.flatMap((comment) => {
      const text = comment.text.replace(revisions, 'revision')
      return forbidden
        .filter((rule) => rule.pattern.test(text))
        .map((rule) => `${source.path}:${comment.line} the comment holds ${rule.name}`)
    }),
  )
}

const switchedOff =
  /^\/\/ ?(?:const|let|import|export|return|await|if \(|for \(|while \(|throw new|\}).*(?:[({=]|\bfrom '[^']+'|\))\s*$/

/** Commented-out code belongs to git. */
export function commentsHoldCode(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    source.comments
      .filter((comment) => comment.kind === 'line' && switchedOff.test(comment.text))
      .map((comment) => `${source.path}:${comment.line} commented-out code`),
  )
}

const marks =
  /^\/\*\*|^\/\/ (?:INVARIANT|WHY|SPEC): |^\/\* (?:INVARIANT|WHY|SPEC): |^\/\* ?[@#]__PURE__ ?\*\/|^\/\/ oxlint-disable/

/** Follows directly on another line comment, so that it continues its sentence. */
function continues(comment: CommentText, previous: CommentText | undefined): boolean {
  return previous?.kind === 'line' && comment.kind === 'line' && previous.line === comment.line - 1
}

/** Inside functions only `INVARIANT:`, `WHY:` and `SPEC:`; a docstring belongs to what it precedes. */
export function commentsNarrate(sources: readonly Source[]): string[] {
  return sources
    .filter((source) => source.path.startsWith('src/') && !isTest(source.path))
    .flatMap((source) =>
      source.comments.flatMap((comment, index) =>
        !comment.isInFunction || marks.test(comment.text) || continues(comment, source.comments[index - 1])
          ? []
          : [`${source.path}:${comment.line} inside functions only INVARIANT:, WHY: and SPEC:`],
      ),
    )
}

const headerParts = ['Stops', 'Trusts', 'Fails']
const mostHeaderLines = 8

function headerProblem(source: Source): string | undefined {
  const first = source.comments[0]
  if (first === undefined || first.kind !== 'block' || first.line !== 1) return 'no header comment'
  const lines = first.text
    .split('\n')
    .map((line) => line.replace(/^\s*\/?\*+\/?|\*\/\s*$/g, '').trim())
    .filter((line) => line !== '')
  if (lines.length > mostHeaderLines) return `a header of ${lines.length} lines`
  const missing = headerParts.filter((part) => !lines.some((line) => new RegExp(`\\b${part}\\b`).test(line)))
  return missing.length === 0 ? undefined : `a header without ${missing.join(', ')}`
}

/** Floors 2 to 4: each file opens with what it answers, stops and trusts, and how it fails. */
export function lacksHeader(sources: readonly Source[]): string[] {
  return sources
    .filter((source) => !isTest(source.path) && !isDoor(source.path))
    .filter((source) => {
      const floor = floors[roomOf(source.path) ?? '']
      return floor !== undefined && floor >= 2 && floor <= 4
    })
    .flatMap((source) => {
      const problem = headerProblem(source)
      return problem === undefined ? [] : [`${source.path}: ${problem}`]
    })
}

/** Each tool opens with the reason it exists. */
export function toolLacksReason(sources: readonly Source[]): string[] {
  return sources
    .filter((source) => /^(tools|bench)\//.test(source.path) && !isTest(source.path))
    .filter((source) => source.comments[0]?.kind !== 'block' || source.comments[0].line > 2)
    .map((source) => `${source.path}: opens without the reason it exists`)
}

/** The checker is told the truth, not silenced. */
export function silencesChecker(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    source.comments
      .filter((comment) => /@ts-(?:ignore|nocheck|expect-error)/.test(comment.text))
      .filter((comment) => !(isTest(source.path) && comment.text.includes('@ts-expect-error')))
      .map((comment) => `${source.path}:${comment.line} silences the type checker`),
  )
}
