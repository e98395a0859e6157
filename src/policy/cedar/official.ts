/**
 * The official Cedar engine of this thread.
 * Stops: a text that makes the engine give up, and every later text failing with it: an engine that broke off is not asked
 * again.
 * Trusts: the engine to be the same when it is loaded anew.
 * Fails: what it gives up on has no answer.
 * @see https://www.npmjs.com/package/@cedar-policy/cedar-wasm
 */
import * as first from '@cedar-policy/cedar-wasm/nodejs'
import { createRequire } from 'node:module'

export type Official = typeof first

/** What is told of a text that the engine gave up on. */
export const gaveUp = 'the official engine gave up on it: write it shorter, or as several rules'

let current: Official | undefined = first

function loadAnew(): Official {
  // WHY: a `require` of its own, because each keeps what it has loaded.
  const load = createRequire(import.meta.url)
  const path = load.resolve('@cedar-policy/cedar-wasm/nodejs')
  // WHY: the module keeps one engine for good; loaded again it makes another one.
  delete load.cache[path]
  return load(path) as Official
}

/** Asks the engine of this thread. @returns undefined where it gave up; then the next one asks another engine */
export function askOfficial<Answer extends object>(ask: (engine: Official) => Answer): Answer | undefined {
  const engine = (current ??= loadAnew())
  try {
    return ask(engine)
  } catch {
    // INVARIANT: where a stack ran over, nothing is known of the engine's memory.
    if (current === engine) current = undefined
    return undefined
  }
}
