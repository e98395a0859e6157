/**
 * The part of vitest that the tests of the policy room use, for running them again and again in one process. Assertions
 * are vitest's own.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { format } from 'node:util'
import * as vitest from 'vitest'

type Work = (...given: unknown[]) => unknown

export interface Collected {
  readonly name: string
  readonly run: () => unknown
}

interface File {
  readonly tests: Collected[]
  readonly names: string[]
  readonly before: Work[]
  readonly after: Work[]
}

const emptyFile = (): File => ({ tests: [], names: [], before: [], after: [] })

const assertion = vitest.expect
const waitMs = 10
let file = emptyFile()
let afterwards: (() => unknown)[] = []

/** What the import of a file registers, in its order. */
export async function collect(load: () => Promise<unknown>): Promise<readonly Collected[]> {
  file = emptyFile()
  await load()
  for (const work of file.before) await work()
  return file.tests
}

/** Runs what the file wants done after all of its tests. */
export async function closeFile(): Promise<void> {
  for (const work of file.after) await work()
}

/** Runs what the last test left to be done after it, the last first. */
export async function finish(): Promise<void> {
  const due = afterwards.toReversed()
  afterwards = []
  for (const work of due) await work()
}

function titled(title: string, row: readonly unknown[], at: number): string {
  return `${format(title.replaceAll('%o', '%s'), ...row)} #${at}`
}

function rowsOf(table: readonly unknown[]): readonly (readonly unknown[])[] {
  return table.map((row): readonly unknown[] => (Array.isArray(row) ? row : [row]))
}

function register(name: string, ...rest: readonly unknown[]): void {
  const run = rest.find((one): one is Work => typeof one === 'function')
  if (run === undefined) throw new Error(`the test "${name}" has no function`)
  file.tests.push({ name: [...file.names, name].join(' > '), run: () => run() })
}

function block(name: string, tests: Work, ...row: unknown[]): void {
  file.names.push(name)
  tests(...row)
  file.names.pop()
}

export const test = Object.assign(register, {
  each:
    (table: readonly unknown[]) =>
    (title: string, ...rest: readonly unknown[]) => {
      const run = rest.find((one): one is Work => typeof one === 'function')
      for (const [at, row] of rowsOf(table).entries()) register(titled(title, row, at), () => run?.(...row))
    },
})

export const describe = Object.assign(block, {
  each: (table: readonly unknown[]) => (title: string, tests: Work) => {
    for (const [at, row] of rowsOf(table).entries()) block(titled(title, row, at), tests, ...row)
  },
})

/** Done before the tests of a file, in whichever block it stands. */
export function beforeAll(work: Work): void {
  file.before.push(work)
}

/** Done after the tests of a file, in whichever block it stands. */
export function afterAll(work: Work): void {
  file.after.push(work)
}

/** Left to be done after the running test. */
export function onTestFinished(work: () => unknown): void {
  afterwards.push(work)
}

/** What vitest's global set-up provides; here the environment does. */
export function inject(name: string): string {
  const value = process.env[`CASTELLAN_MUTATION_${name}`]
  if (value === undefined) throw new Error(`nobody provides ${name}`)
  return value
}

async function untilItHolds<T>(check: () => T | Promise<T>, timeoutMs: number): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await sleep(waitMs)
    }
  }
}

type Matcher = (...given: unknown[]) => unknown

/** INVARIANT: `not` alone stands before a matcher. */
function matching(read: () => unknown, timeoutMs: number, isNot = false): Record<string, Matcher> {
  const target: Record<string, Matcher> = {}
  return new Proxy(target, {
    get(_target, name: string) {
      if (name === 'not') return matching(read, timeoutMs, true)
      return (...given: unknown[]) =>
        untilItHolds(async () => {
          const found = assertion(await read())
          const matcher: unknown = Reflect.get(isNot ? found.not : found, name)
          if (typeof matcher !== 'function') throw new TypeError(`there is no matcher ${name}`)
          const judged: unknown = Reflect.apply(matcher, isNot ? found.not : found, given)
          return judged
        }, timeoutMs)
    },
  })
}

const poll = (read: () => unknown, { timeout = 1_000 }: { timeout?: number } = {}) => matching(read, timeout)

export const expect = Object.assign((value: unknown, says?: string) => assertion(value, says), assertion, { poll })

export const vi = {
  waitFor: <T>(check: () => T | Promise<T>, options: { timeout?: number } = {}): Promise<T> =>
    untilItHolds(check, options.timeout ?? 1_000),
}
