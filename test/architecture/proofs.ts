import { calleeName, isNode, type Source } from './source.ts'

export interface Proof {
  /** The controls it names; empty when the ids are not written out. */
  readonly ids: readonly string[]
  readonly at: string
  readonly isSkipped: boolean
}

function idsOf(argument: unknown): string[] {
  if (!isNode(argument)) return []
  if (argument.type === 'Literal' && typeof argument.value === 'string') return [argument.value]
  if (argument.type !== 'ArrayExpression' || !Array.isArray(argument.elements)) return []
  const each = argument.elements.map((element) => (isNode(element) && element.type === 'Literal' ? element.value : ''))
  return each.every((id): id is string => typeof id === 'string' && id !== '') ? each : []
}

/** Every call of `proves` in the test files, read from the source: no test has to run for it. */
export function findProofs(sources: readonly Source[]): Proof[] {
  return sources
    .filter((source) => source.path.endsWith('.test.ts'))
    .flatMap((source) =>
      source.nodes
        .filter((node) => node.type === 'CallExpression' && calleeName(node.callee) === 'proves')
        .map((node) => ({
          ids: idsOf(Array.isArray(node.arguments) ? node.arguments[0] : undefined),
          at: `${source.path}:${source.lineAt(node.start)}`,
          isSkipped: /\b(?:describe|suite)\.(?:skip|todo)\b/.test(source.text),
        })),
    )
}

/** Controls without a proof, proofs without a control. */
export function gateProofs(controlIds: readonly string[], proofs: readonly Proof[]): string[] {
  const proved = new Set(proofs.filter((proof) => !proof.isSkipped).flatMap((proof) => proof.ids))
  const known = new Set(controlIds)
  return [
    ...controlIds.filter((id) => !proved.has(id)).map((id) => `${id} has no proof`),
    ...proofs.flatMap((proof) =>
      proof.ids.length === 0
        ? [`${proof.at} does not write out the control it proves`]
        : proof.ids.filter((id) => !known.has(id)).map((id) => `${proof.at} proves ${id}, which is no control`),
    ),
  ]
}
