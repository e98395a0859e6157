import type { Editor, Path } from './editor.ts'
import { endOfLineComment, readJson, type JsonNode } from './jsonc.ts'
import { SyntaxProblem, type PlainValue } from './syntax-problem.ts'

/** How a text is laid out, so that what is added looks like what is there. */
interface Layout {
  readonly lineEnd: string
  readonly indent: string
}

function layoutOf(source: string): Layout {
  const lineEnd = source.includes('\r\n') ? '\r\n' : '\n'
  return { lineEnd, indent: /\n([ \t]+)["{[/\]}]/.exec(source)?.[1] ?? '  ' }
}

/** The white space that the line of a position begins with. */
function indentAt(source: string, at: number): string {
  const lineStart = source.lastIndexOf('\n', at - 1) + 1
  return /^[ \t]*/.exec(source.slice(lineStart, at))?.[0] ?? ''
}

function write(value: PlainValue, layout: Layout, indent: string): string {
  return JSON.stringify(value, null, layout.indent).replaceAll('\n', layout.lineEnd + indent)
}

function find(root: JsonNode, path: Path): JsonNode | undefined {
  return path.reduce<JsonNode | undefined>(
    (node, step) =>
      typeof step === 'number' ? node?.items?.[step] : node?.members?.find((member) => member.key === step)?.node,
    root,
  )
}

function splice(source: string, start: number, end: number, text: string): string {
  return source.slice(0, start) + text + source.slice(end)
}

/** Adds one piece, a member or an item, at the end of an object or list. */
function addTo(source: string, node: JsonNode, make: (layout: Layout, indent: string) => string): string {
  const layout = layoutOf(source)
  const last = node.members?.at(-1)?.node ?? node.items?.at(-1)
  const outer = indentAt(source, node.start)
  if (last === undefined) {
    const inside = source.slice(node.start + 1, node.end - 1).trimEnd()
    const at = node.start + 1 + inside.length
    const piece = `${layout.lineEnd}${outer}${layout.indent}${make(layout, outer + layout.indent)}`
    return splice(source, at, node.end - 1, `${piece}${layout.lineEnd}${outer}`)
  }
  const first = node.members?.[0]?.keyStart ?? node.items?.[0]?.start ?? node.start
  if (!source.slice(node.start, first).includes('\n')) {
    const piece = make({ lineEnd: '', indent: '' }, '').replaceAll('\n', '')
    return splice(source, last.end, last.end, `, ${piece}`)
  }
  const inner = indentAt(source, first)
  const piece = `${layout.lineEnd}${inner}${make(layout, inner)}`
  const comma = node.hasTrailingComma === true ? source.indexOf(',', endOfTrivia(source, last.end)) + 1 : last.end
  const at = endOfLineComment(source, comma)
  if (node.hasTrailingComma === true) return splice(source, at, at, `${piece},`)
  return splice(splice(source, at, at, piece), last.end, last.end, ',')
}

/** Comments between a value and its comma are stepped over. */
function endOfTrivia(source: string, from: number): number {
  const trivia = /(?:\s|\/\/[^\r\n]*|\/\*[^]*?\*\/)*/y
  trivia.lastIndex = from
  return from + (trivia.exec(source)?.[0].length ?? 0)
}

/** Edits JSON in place: every character that is not ours stays as it was. */
export function jsonEditor(hasComments: boolean): Editor {
  const read = (source: string) => readJson(source, { hasComments })
  const set = (source: string, path: Path, value: PlainValue): string => {
    const root = read(source)
    const existing = find(root, path)
    if (existing !== undefined) {
      const text = write(value, layoutOf(source), indentAt(source, existing.start))
      return splice(source, existing.start, existing.end, text)
    }
    const [last = '', parentPath] = [path.at(-1), path.slice(0, -1)]
    const parent = find(root, parentPath)
    if (parent === undefined) return set(source, parentPath, { [String(last)]: value })
    if (parent.members === undefined) throw new SyntaxProblem('an object is needed here', source, parent.start)
    return addTo(source, parent, (layout, indent) => `${JSON.stringify(last)}: ${write(value, layout, indent)}`)
  }
  return {
    empty: '{}\n',
    parse: (source) => read(source).value,
    set,
    append(source, path, value) {
      const list = find(read(source), path)
      if (list?.items === undefined) throw new SyntaxProblem('a list is needed here', source, list?.start ?? 0)
      return addTo(source, list, (layout, indent) => write(value, layout, indent))
    },
  }
}
