import { parseAst } from 'vitest/node'

/** A syntax node as the parser gives it (ESTree with TypeScript). */
export interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

export interface ImportUse {
  readonly specifier: string
  readonly line: number
  /** True when nothing of it is left after type stripping. */
  readonly isTypeOnly: boolean
  readonly kind: 'import' | 'export' | 'export-all' | 'dynamic'
}

export interface CommentText {
  readonly line: number
  readonly text: string
  readonly kind: 'line' | 'block'
  readonly isInFunction: boolean
}

export interface FunctionSpan {
  readonly line: number
  readonly lines: number
  /** Name of the function this one is passed to, when it is an argument: `describe`, `test` … */
  readonly passedTo?: string
}

/** One source file, read once and judged by every rule. */
export interface Source {
  /** Relative to the repository, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly lines: number
  readonly imports: readonly ImportUse[]
  readonly comments: readonly CommentText[]
  readonly functions: readonly FunctionSpan[]
  readonly nodes: readonly SyntaxNode[]
  readonly topLevel: readonly SyntaxNode[]
  lineAt(offset: number): number
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** Every node under `root` with its parent, outer ones first. */
function walk(root: SyntaxNode): { node: SyntaxNode; parent?: SyntaxNode }[] {
  const found: { node: SyntaxNode; parent?: SyntaxNode }[] = [{ node: root }]
  for (let at = 0; at < found.length; at++) {
    const parent = found[at]?.node
    if (parent === undefined) break
    for (const value of Object.values(parent)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (isNode(child)) found.push({ node: child, parent })
      }
    }
  }
  return found
}

/** Dotted name of an identifier or a member expression, e.g. `process.env`; '' for anything else. */
export function dottedName(node: unknown): string {
  if (!isNode(node)) return ''
  if (node.type === 'Identifier') return String(node.name)
  if (node.type !== 'MemberExpression' || node.computed === true) return ''
  const left = dottedName(node.object)
  return left === '' ? '' : `${left}.${dottedName(node.property)}`
}

function literal(node: unknown): string | undefined {
  return isNode(node) && typeof node.value === 'string' ? node.value : undefined
}

function importOf(node: SyntaxNode, line: number): ImportUse | undefined {
  const specifier = literal(node.source)
  if (specifier === undefined) return undefined
  if (node.type === 'ImportExpression' || node.type === 'TSImportType') {
    return { specifier, line, isTypeOnly: node.type === 'TSImportType', kind: 'dynamic' }
  }
  const specifiers = Array.isArray(node.specifiers) ? node.specifiers.filter(isNode) : []
  const kindKey = node.type === 'ImportDeclaration' ? 'importKind' : 'exportKind'
  const allTypes = specifiers.length > 0 && specifiers.every((each) => each[kindKey] === 'type')
  const isTypeOnly = node[kindKey] === 'type' || allTypes
  if (node.type === 'ImportDeclaration') return { specifier, line, isTypeOnly, kind: 'import' }
  if (node.type === 'ExportNamedDeclaration') return { specifier, line, isTypeOnly, kind: 'export' }
  return node.type === 'ExportAllDeclaration' ? { specifier, line, isTypeOnly, kind: 'export-all' } : undefined
}

const opaque = new Set(['Literal', 'TemplateElement', 'JSXText'])
const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

/** Comments are what lies outside literals: the parser says where literals are. */
function findComments(text: string, nodes: readonly SyntaxNode[]): { start: number; end: number }[] {
  const literals = nodes.filter((node) => opaque.has(node.type)).sort((a, b) => a.start - b.start)
  const found: { start: number; end: number }[] = []
  let next = 0
  for (let at = text.startsWith('#!') ? text.indexOf('\n') : 0; at < text.length; at++) {
    while ((literals[next]?.end ?? Infinity) <= at) next++
    const inside = literals[next]
    if (inside !== undefined && inside.start <= at) {
      at = Math.max(at, inside.end - 1)
      continue
    }
    if (text[at] !== '/' || (text[at + 1] !== '/' && text[at + 1] !== '*')) continue
    const isLine = text[at + 1] === '/'
    const stop = text.indexOf(isLine ? '\n' : '*/', at + 2)
    const end = stop === -1 ? text.length : isLine ? stop : stop + 2
    found.push({ start: at, end })
    at = end - 1
  }
  return found
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return low + 1
  }
}

function parse(path: string, text: string): SyntaxNode {
  try {
    const program: unknown = parseAst(text, { lang: 'ts', sourceType: 'module' })
    if (isNode(program)) return program
  } catch (cause) {
    throw new Error(`${path} does not parse`, { cause })
  }
  throw new Error(`${path} is no program`)
}

/** Reads one TypeScript or JavaScript file. Throws when it does not parse. */
export function readSource(path: string, text: string): Source {
  const program = parse(path, text)
  const lineAt = lineFinder(text)
  const placed = walk(program)
  const nodes = placed.map((each) => each.node)
  const functionPlaces = placed.filter((each) => functionTypes.has(each.node.type))
  const bodies = functionPlaces.map((each) => each.node.body).filter(isNode)
  return {
    path,
    text,
    lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    imports: nodes.flatMap((node) => importOf(node, lineAt(node.start)) ?? []),
    comments: findComments(text, nodes).map(({ start, end }) => ({
      line: lineAt(start),
      text: text.slice(start, end),
      kind: text[start + 1] === '/' ? 'line' : 'block',
      isInFunction: bodies.some((body) => body.start < start && end <= body.end),
    })),
    functions: functionPlaces.map(({ node, parent }) => {
      const passedTo = parent?.type === 'CallExpression' && parent.callee !== node ? calleeName(parent.callee) : ''
      const span = { line: lineAt(node.start), lines: lineAt(node.end) - lineAt(node.start) + 1 }
      return passedTo === '' ? span : { ...span, passedTo }
    }),
    nodes,
    topLevel: Array.isArray(program.body) ? program.body.filter(isNode) : [],
    lineAt,
  }
}

/** `describe` for `describe(…)` as for `describe.each(…)(…)`. */
export function calleeName(callee: unknown): string {
  if (isNode(callee) && callee.type === 'CallExpression') return calleeName(callee.callee)
  return dottedName(callee).split('.')[0] ?? ''
}
