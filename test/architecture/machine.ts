import { isTest, machinePlaces } from './rooms.ts'
import { dottedName, isNode, type Source, type SyntaxNode } from './source.ts'

/** Modules that reach disk, network, processes or the environment. The others of Node compute. */
const machineModules = new Set(
  [
    ['fs', 'fs/promises', 'sqlite'],
    ['net', 'tls', 'http', 'https', 'http2', 'dgram', 'dns', 'dns/promises'],
    ['child_process', 'worker_threads', 'cluster', 'process', 'os', 'readline', 'readline/promises', 'tty'],
  ]
    .flat()
    .map((name) => `node:${name}`),
)
const machinePackages = new Set(['undici', 'pg'])

const machineNames =
  /^(globalThis\.)?(process\.(env|argv|cwd|exit|stdin|stdout|stderr|pid|on|once|kill|chdir|umask)|Date\.now|performance\.now|fetch)$/

function touch(node: SyntaxNode): string | undefined {
  if (node.type === 'MemberExpression') {
    const name = dottedName(node)
    return machineNames.test(name) ? name : undefined
  }
  if (node.type === 'CallExpression' && dottedName(node.callee) === 'fetch') return 'fetch()'
  const isDate = (node.type === 'NewExpression' || node.type === 'CallExpression') && dottedName(node.callee) === 'Date'
  const hasNoArguments = Array.isArray(node.arguments) && node.arguments.filter(isNode).length === 0
  return isDate && hasNoArguments ? 'the wall clock through Date()' : undefined
}

/** Rule 6: only `platform` and the plug folders read environment, clock, disk and network. */
export function touchesMachine(sources: readonly Source[]): string[] {
  return sources
    .filter((source) => source.path.startsWith('src/') && !isTest(source.path))
    .filter((source) => !machinePlaces.some((place) => place.path.test(source.path)))
    .flatMap((source) => [
      ...source.imports
        .filter((use) => !use.isTypeOnly && (machineModules.has(use.specifier) || machinePackages.has(use.specifier)))
        .map((use) => `${source.path}:${use.line} imports ${use.specifier}`),
      ...source.nodes.flatMap((node) => {
        const what = touch(node)
        return what === undefined ? [] : [`${source.path}:${source.lineAt(node.start)} uses ${what}`]
      }),
    ])
}

/** Built-in modules are named with `node:`, so that no package can stand in for one. */
export function importsBuiltinBare(sources: readonly Source[]): string[] {
  const builtins =
    /^(fs|path|os|net|tls|http|https|http2|crypto|child_process|stream|events|util|url|zlib|buffer)(\/|$)/
  return sources.flatMap((source) =>
    source.imports
      .filter((use) => builtins.test(use.specifier))
      .map((use) => `${source.path}:${use.line} imports ${use.specifier} without node:`),
  )
}
