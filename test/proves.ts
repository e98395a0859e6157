import { test } from 'vitest'
import type { ControlId } from './controls.ts'

/**
 * A test that proves one or more controls of `controls.ts`. The ids are written out at the call, as a string or an
 * array of strings: the gate in `controls.test.ts` reads them from the source.
 * @param title a claim; the ids are put before it
 */
export function proves(
  ids: ControlId | readonly ControlId[],
  title: string,
  run: () => void | Promise<void>,
  timeoutMs?: number,
): void {
  const listed = typeof ids === 'string' ? ids : ids.join(', ')
  test(`${listed}: ${title}`, run, timeoutMs)
}
