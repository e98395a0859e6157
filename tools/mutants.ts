/**
 * A guard that can be deleted without an attack test noticing is decoration. This makes the pipeline's text with one
 * guard deleted, once for each; `npm run proof -- mutation` runs the attack tests against every one of them.
 */
import { dottedName, isNode, readSource, type SyntaxNode } from '../test/architecture/source.ts'

export interface Mutant {
  /** The guard that is gone: `admitOrigin`. */
  readonly guard: string
  /** The list it is gone from: `entrance`. */
  readonly list: string
  readonly line: number
  readonly text: string
}

function isMust(node: SyntaxNode): boolean {
  return (
    node.type === 'CallExpression' &&
    isNode(node.callee) &&
    isNode(node.callee.property) &&
    node.callee.property.name === 'must'
  )
}

function guardOf(node: SyntaxNode): string {
  const argument: unknown = Array.isArray(node.arguments) ? node.arguments[0] : undefined
  if (!isNode(argument)) return ''
  return argument.type === 'CallExpression' ? dottedName(argument.callee) : dottedName(argument)
}

/** Every way to delete one guard from a pipeline, in the order of its lines. */
export function mutantsOf(path: string, text: string): Mutant[] {
  const source = readSource(path, text)
  const lists = source.nodes.filter((node) => node.type === 'VariableDeclarator')
  return source.nodes
    .filter(isMust)
    .map((node) => {
      const before = isNode(node.callee) && isNode(node.callee.object) ? node.callee.object.end : node.start
      const list = lists.find((each) => each.start <= node.start && node.end <= each.end)
      return {
        guard: guardOf(node),
        list: dottedName(list?.id),
        line: source.lineAt(text.indexOf('.must', before)),
        text: text.slice(0, before) + text.slice(node.end),
      }
    })
    .sort((left, right) => left.line - right.line)
}
