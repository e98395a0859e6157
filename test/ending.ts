import { afterAll, beforeAll, onTestFinished } from 'vitest'

type End = () => unknown

/** Ends that wait for the last test of a file; undefined while they wait for the running test. */
let ofFile: End[] | undefined

/** Runs `end` after the running test, or after the last test of the file for what `forAllTests` starts. Last in, first out. */
export function atEnd(end: End): void {
  if (ofFile === undefined) onTestFinished(async () => void (await end()))
  else ofFile.push(end)
}

/**
 * Starts something once for all tests of a file. Call it outside of any test.
 * @returns what was started, from the first test on
 */
export function forAllTests<T>(start: () => Promise<T>): () => T {
  const ends: End[] = []
  let started: { readonly value: T } | undefined
  beforeAll(async () => {
    ofFile = ends
    try {
      started = { value: await start() }
    } finally {
      ofFile = undefined
    }
  })
  afterAll(async () => {
    for (const end of ends.toReversed()) await end()
  })
  return () => {
    if (started === undefined) throw new Error('it is started before the first test, not before that')
    return started.value
  }
}
