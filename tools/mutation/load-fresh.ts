/**
 * Loads the policy room and its tests anew each time, everything else once: what a mutant did to what the room remembers
 * is gone with it.
 */
import { readFileSync } from 'node:fs'
import { createRequire, registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = new URL('../../', import.meta.url).href
const fresh = [`${root}src/policy/`, `${root}test/world/`]
const testApi = new URL('test-api.ts', import.meta.url).href
const sources = new Map<string, string>()
let generation = 0

function sourceOf(path: string): string {
  const known = sources.get(path)
  if (known !== undefined) return known
  const source = stripTypeScriptTypes(readFileSync(path, 'utf8'))
  sources.set(path, source)
  return source
}

type Cedar = Readonly<Record<string, (text: string) => unknown>>

const cedarName = '@cedar-policy/cedar-wasm/nodejs'
const load = createRequire(import.meta.url)
// WHY: found before the hooks below are asked for it.
const cedarPath = load.resolve(cedarName)
// WHY: one that a test has put out of order still reads what is short.
const demanding = `permit (principal, action, resource) when { ${Array(400).fill('true').join(' && ')} };`
let cedar = load(cedarPath) as Cedar
let made = 1

/** Cedar's engine, in order: what a test asked of it may have put it out of order for the files that come after. */
export function cedarInOrder(): Cedar {
  try {
    cedar['policyToJson']?.(demanding)
  } catch {
    delete load.cache[cedarPath]
    cedar = load(cedarPath) as Cedar
    made += 1
  }
  return cedar
}

function cedarSource(): string {
  const names = Object.keys(cedar).join(', ')
  return `import { cedarInOrder } from '${import.meta.url}'; export const { ${names} } = cedarInOrder()`
}

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === cedarName && !context.conditions.includes('require')) {
      cedarInOrder()
      return { url: `castellan:cedar?${made}`, shortCircuit: true }
    }
    if (specifier === 'vitest' && context.parentURL !== testApi) return { url: testApi, shortCircuit: true }
    const found = next(specifier, context)
    const isFresh = generation > 0 && fresh.some((folder) => found.url.startsWith(folder))
    return isFresh ? { ...found, url: `${found.url.replace(/\?.*$/, '')}?generation=${generation}` } : found
  },
  load(url, context, next) {
    if (url.startsWith('castellan:')) return { format: 'module', source: cedarSource(), shortCircuit: true }
    if (!url.includes('?generation=')) return next(url, context)
    return { format: 'module', source: sourceOf(fileURLToPath(url.replace(/\?.*$/, ''))), shortCircuit: true }
  },
})

/** From here on, what is imported of the room and its tests is a new one. */
export function beginAnew(): void {
  generation += 1
}

/** Imports a test file of the running generation. */
export function loadFile(path: string): Promise<unknown> {
  return import(`${root}${path}`)
}
