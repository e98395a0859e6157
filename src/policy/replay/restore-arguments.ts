/**
 * Which arguments did a recorded call have?
 * Stops: a mask in the ledger passing for what the caller wrote; a look-alike that was masked away going unnoticed.
 * Trusts: the ledger to mark what it masks and cuts.
 * Fails: what may have been something else is `untold`, and everything in an object of which not every name is known.
 */
import { mayDiffer } from '#audit'
import { isObject } from '#protocol'
import { untold } from '../arguments.ts'

function restoreObject(recorded: Readonly<Record<string, unknown>>): unknown {
  const entries = Object.entries(recorded)
  // WHY: a name that is masked or cut away could be any, also one that rules read or a look-alike of it.
  if (entries.some(([name]) => mayDiffer(name))) return untold
  // WHY: made from entries, a member `__proto__` is a member like any other.
  return Object.fromEntries(entries.map(([name, value]) => [name, restore(value)]))
}

function restore(recorded: unknown): unknown {
  if (typeof recorded === 'string') return mayDiffer(recorded) ? untold : recorded
  if (Array.isArray(recorded)) {
    const restored = recorded.map(restore)
    return restored.includes(untold) ? untold : restored
  }
  return isObject(recorded) ? restoreObject(recorded) : recorded
}

/**
 * The arguments as policy is told of them, from the `parameters` of an entry.
 * @returns undefined where nothing of them is known
 */
export function restoreArguments(parameters: unknown): Readonly<Record<string, unknown>> | undefined {
  if (parameters === undefined) return {}
  if (!isObject(parameters)) return undefined
  // WHY: one that is masked or cut away could be the arguments.
  if (Object.keys(parameters).some(mayDiffer)) return undefined
  const recorded = parameters['arguments']
  if (recorded === undefined) return {}
  const restored = restore(recorded)
  return isObject(restored) ? restored : undefined
}
