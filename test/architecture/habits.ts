import { isTest } from './rooms.ts'
import { calleeName, dottedName, isNode, type Source, type SyntaxNode } from './source.ts'

const runners = /^(test|it|proves|describe)$/

/** The titles that a call gives to a test or a block of tests. */
function titlesOf(node: SyntaxNode): string[] {
  if (node.type !== 'CallExpression' || !runners.test(calleeName(node.callee)) || !Array.isArray(node.arguments))
    return []
  return node.arguments.filter(isNode).flatMap((argument) => {
    if (argument.type === 'Literal') return [String(argument.value)]
    if (argument.type !== 'TemplateLiteral' || !Array.isArray(argument.quasis)) return []
    return [JSON.stringify(argument.quasis.filter(isNode).map((part) => part.value))]
  })
}

/** Test titles are claims. */
export function titlesHedge(sources: readonly Source[]): string[] {
  return sources
    .filter((source) => source.path.endsWith('.test.ts'))
    .flatMap((source) =>
      source.nodes
        .filter((node) => titlesOf(node).some((title) => /\bshould\b/i.test(title)))
        .map((node) => `${source.path}:${source.lineAt(node.start)} the title says "should"`),
    )
}

/** No mocks of our own rooms, and none of packages: doubles stand outside the boundary, in `test/world`. */
export function mocksModules(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    source.nodes
      .filter((node) => node.type === 'CallExpression' && /^vi\.(do)?mock$/i.test(dottedName(node.callee)))
      .map((node) => `${source.path}:${source.lineAt(node.start)} mocks a module`),
  )
}

/** A cast through `unknown` says anything; the types of the program may not. */
export function castsTwice(sources: readonly Source[]): string[] {
  return sources
    .filter((source) => !isTest(source.path))
    .flatMap((source) =>
      source.nodes
        .filter((node) => node.type === 'TSAsExpression' && isNode(node.expression) && isCastToUnknown(node.expression))
        .map((node) => `${source.path}:${source.lineAt(node.start)} casts through unknown`),
    )
}

function isCastToUnknown(node: SyntaxNode): boolean {
  return (
    node.type === 'TSAsExpression' && isNode(node.typeAnnotation) && node.typeAnnotation.type === 'TSUnknownKeyword'
  )
}
