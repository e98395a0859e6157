import { isNode, type Source } from './source.ts'

const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|build|fixture|d))*$/
/** Never part of a name. */
const neverWords = new Set(['utils', 'helpers', 'manager', 'processor', 'engine'])
/** Never a whole name. */
const neverNames = new Set(['common', 'misc', 'shared', 'data', 'info', 'process', 'services', 'lib'])

function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
}

function isForbidden(name: string): boolean {
  return neverNames.has(name.toLowerCase()) || wordsOf(name).some((word) => neverWords.has(word))
}

/** Files and folders are kebab-case and carry no empty word. */
export function badFileNames(paths: readonly string[]): string[] {
  return paths
    .filter((path) => /^(src|test|tools|examples|bench|console)\//.test(path))
    .flatMap((path) => {
      const segments = path.split('/')
      return segments.flatMap((segment, index) => {
        const isFile = index === segments.length - 1
        const stem = isFile ? segment.replace(/\.[a-z0-9]+$/i, '') : segment
        if (isForbidden(stem.replace(/\.test$/, ''))) return [`${path}: the name ${stem} says nothing`]
        return kebab.test(stem) ? [] : [`${path}: ${stem} is not kebab-case`]
      })
    })
}

const declarations = new Set([
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'ClassDeclaration',
  'FunctionDeclaration',
  'TSEnumDeclaration',
])
const typeDeclarations = new Set(['TSInterfaceDeclaration', 'TSTypeAliasDeclaration', 'ClassDeclaration'])
const decorated = /^I[A-Z][a-z]|^T[A-Z][a-z]|Impl$|^Base[A-Z]|^Abstract[A-Z]/
/** English that only looks like a prefix. */
const honest = /^(Io|Id|If|In|Is|It|Ip|Tls|Tcp|To)[A-Z]?/

/** Types are plain nouns, and no declaration carries an empty word. */
export function badDeclarations(sources: readonly Source[]): string[] {
  return sources.flatMap((source) =>
    source.nodes
      .filter((node) => declarations.has(node.type))
      .flatMap((node) => {
        const name = isNode(node.id) ? String(node.id.name) : ''
        const at = `${source.path}:${source.lineAt(node.start)}`
        if (node.type === 'TSEnumDeclaration') return [`${at} ${name} is an enum`]
        if (isForbidden(name)) return [`${at} the name ${name} says nothing`]
        const isDecorated = typeDeclarations.has(node.type) && decorated.test(name) && !honest.test(name)
        return isDecorated ? [`${at} ${name} carries a prefix or suffix`] : []
      }),
  )
}

/** A home folder of nobody in particular may stand in a test or an example. */
const machinePath = /(?<![\w.:/~-])\/(?:work|Users|root)\/[A-Za-z0-9._-]+|\b[A-Z]:\\Users\\/

/** No file knows the machine it was written on. */
export function namesMachine(files: readonly { path: string; text: string }[]): string[] {
  return files.flatMap((file) =>
    file.text
      .split('\n')
      .flatMap((line, index) => (machinePath.test(line) ? [`${file.path}:${index + 1} names a machine's path`] : [])),
  )
}
