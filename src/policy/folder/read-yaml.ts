/**
 * What does a YAML file of a policy folder say, and where is what is wrong with it?
 * Stops: keys that mean nothing, written twice, or spelled wrong; a file that unfolds to more than it is.
 * Trusts: nothing.
 * Fails: each problem is told with file, line and column; nothing of such a file is used.
 */
import { isMap, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml'
import type { z } from 'zod'
import type { PolicyProblem } from '../cedar/source.ts'

/** A place in the text, both from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

export type ReadYaml<Value> =
  | { readonly value: Value; place(path: readonly PropertyKey[]): Place; readonly problems?: never }
  | { readonly problems: readonly PolicyProblem[] }

const maxProblems = 20
/** SPEC: YAML 1.2.2, section 5.1. */
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

function nodeAt(document: Document, path: readonly PropertyKey[]): Node | undefined {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
    if (typeof node === 'object' && node !== null) return node as Node
  }
  return undefined
}

function keyAt(node: Node | undefined, key: string): Node | undefined {
  if (!isMap(node)) return undefined
  return node.items.find((pair) => String(pair.key) === key)?.key as Node | undefined
}

/** WHY: the library compares each key of a map with all before it, which takes seconds where there are thousands. */
function keysWrittenTwice(document: Document): Node[] {
  const found: Node[] = []
  visit(document, {
    Map(_key, { items }) {
      const seen = new Set<string>()
      for (const { key } of items) {
        if (seen.has(String(key)) && found.length < maxProblems) found.push(key as Node)
        seen.add(String(key))
      }
    },
  })
  return found
}

function problemsOf(error: z.ZodError, document: Document, at: (node: Node | undefined) => Place): PolicyProblem[] {
  const told = error.issues.slice(0, maxProblems).flatMap((issue) => {
    const node = nodeAt(document, issue.path)
    const path = issue.path.map(String).join('.')
    if (issue.code !== 'unrecognized_keys') {
      return [{ says: path === '' ? issue.message : `\`${path}\`: ${issue.message}`, ...at(node) }]
    }
    return issue.keys
      .slice(0, maxProblems)
      .map((key) => ({ says: `\`${key}\` is not a key here`, ...at(keyAt(node, key) ?? node) }))
  })
  return told.slice(0, maxProblems)
}

/** Reads one file against its schema; unknown keys are refused where the schema is strict. */
export function readYaml<Schema extends z.ZodType>(
  file: { readonly name: string; readonly text: string },
  schema: Schema,
): ReadYaml<z.infer<Schema>> {
  const lines = new LineCounter()
  const options = { lineCounter: lines, prettyErrors: false, merge: false, uniqueKeys: false } as const
  const document = parseDocument(file.text, options)
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const at = (node: Node | undefined): Place => placeOf(node?.range?.[0] ?? 0)
  const named = (problems: readonly PolicyProblem[]) => ({
    problems: problems.map((one) => ({ ...one, file: file.name })),
  })
  const control = file.text.search(forbidden)
  if (control !== -1) return named([{ says: 'there is a control character', ...placeOf(control) }])
  const broken = [...document.errors, ...document.warnings]
  if (broken.length > 0) {
    return named(broken.slice(0, maxProblems).map(({ message, pos }) => ({ says: message, ...placeOf(pos[0]) })))
  }
  const twice = keysWrittenTwice(document)
  if (twice.length > 0) return named(twice.map((key) => ({ says: `\`${String(key)}\` is written twice`, ...at(key) })))
  let written: unknown
  try {
    written = document.toJS({ maxAliasCount: 0 })
  } catch {
    return named([{ says: 'aliases are not used in policy folders', line: 1, column: 1 }])
  }
  const read = schema.safeParse(written)
  if (!read.success) return named(problemsOf(read.error, document, at))
  return { value: read.data, place: (path) => at(nodeAt(document, path)) }
}
