/**
 * Loads the policy room and its tests anew each time, everything else once: what a mutant did to what the room remembers
 * is gone with it.
 */
import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
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

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'vitest' && context.parentURL !== testApi) return { url: testApi, shortCircuit: true }
    const found = next(specifier, context)
    const isFresh = generation > 0 && fresh.some((folder) => found.url.startsWith(folder))
    return isFresh ? { ...found, url: `${found.url.replace(/\?.*$/, '')}?generation=${generation}` } : found
  },
  load(url, context, next) {
    if (!url.includes('?generation=')) return next(url, context)
    return { format: 'module', source: sourceOf(fileURLToPath(url.replace(/\?.*$/, ''))), shortCircuit: true }
  },
})

/** From here on, what is imported of the room and its tests is a new one. */
export function beginAnew(): void {
  generation += 1
}

/** Imports a test file of the running generation. */
export function load(path: string): Promise<unknown> {
  return import(`${root}${path}`)
}
