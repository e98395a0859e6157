import type { ChangedItem, Checks, CheckedChange, Draft, Loss } from '#policy'
import { z } from 'zod'
import type { Rooms } from '../rooms.ts'
import { isoTime, moment } from '../shapes.ts'

/** Of a body with a policy folder: its texts, escaped. */
export const maxFolderBytes = 16 * 1024 * 1024

const finding = z.object({
  code: z.string(),
  severity: z.enum(['error', 'warning']),
  rule: z.string(),
  file: z.string().nullable(),
  line: z.number().nullable(),
  column: z.number().nullable(),
  says: z.string(),
  hint: z.string(),
})

const test = z.object({
  name: z.string(),
  file: z.string(),
  line: z.number(),
  column: z.number(),
  hasPassed: z.boolean(),
  says: z.string(),
})

/** One role, file or test that differs. */
export const item = z.object({
  kind: z.enum(['role', 'file', 'test']),
  name: z.string(),
  change: z.enum(['added', 'changed', 'removed']),
  before: z.string().nullable(),
  after: z.string().nullable(),
})

const loss = z.object({ role: z.string(), isRemoved: z.boolean(), people: z.array(z.string()) })

export const checked = z.object({
  baseVersion: z.number(),
  changes: z.array(item),
  losses: z.array(loss),
  findings: z.array(finding),
  tests: z.array(test),
})

const cameFrom = z.object({
  kind: z.string(),
  role: z.string().exactOptional(),
  version: z.number().exactOptional(),
  draft: z.string().exactOptional(),
})

const person = z.object({ id: z.string(), name: z.string() })

export const draft = z.object({
  id: z.string(),
  baseVersion: z.number(),
  hash: z.string(),
  state: z.enum(['draft', 'proposed', 'published', 'abandoned']),
  author: person,
  editors: z.array(person),
  note: z.string(),
  cameFrom,
  publishedVersion: z.number().nullable(),
  decisions: z.array(z.object({ by: person, at: moment, decision: z.string(), hash: z.string(), note: z.string() })),
  createdAt: moment,
  updatedAt: moment,
  findings: z.array(finding),
  tests: z.array(test),
})

/** A person for people; whoever is there no more keeps the id. */
export async function namePerson({ identity }: Rooms, id: string): Promise<z.infer<typeof person>> {
  const found = await identity.people.find(id)
  return { id, name: found?.name ?? id }
}

/** What a snapshot came from, for a list. */
export function showCameFrom(from: Draft['cameFrom']): z.infer<typeof cameFrom> {
  return { ...from }
}

function showChecks({ findings, tests }: Checks) {
  return {
    findings: findings.map(({ file, line, column, ...rest }) => ({
      ...rest,
      file: file ?? null,
      line: line ?? null,
      column: column ?? null,
    })),
    tests: tests.map((one) => ({ ...one })),
  }
}

export function showItems(items: readonly ChangedItem[]): z.infer<typeof item>[] {
  return items.map((one) => ({ ...one, before: one.before ?? null, after: one.after ?? null }))
}

function showLosses(losses: readonly Loss[]): z.infer<typeof loss>[] {
  return losses.map(({ role, isRemoved, people }) => ({ role, isRemoved, people: [...people] }))
}

export function showChecked({ baseVersion, items, losses, checks }: CheckedChange): z.infer<typeof checked> {
  return { baseVersion, changes: showItems(items), losses: showLosses(losses), ...showChecks(checks) }
}

export async function showDraft(rooms: Rooms, given: Draft): Promise<z.infer<typeof draft>> {
  const name = (id: string) => namePerson(rooms, id)
  const { id, baseVersion, hash, state, note, publishedVersion, createdAt, updatedAt } = given
  return {
    id,
    baseVersion,
    hash,
    state,
    note,
    publishedVersion: publishedVersion ?? null,
    cameFrom: showCameFrom(given.cameFrom),
    author: await name(given.author),
    editors: await Promise.all(given.editors.map(name)),
    decisions: await Promise.all(
      given.decisions.map(async (one) => ({ ...one, by: await name(one.by), at: isoTime(one.at) })),
    ),
    createdAt: isoTime(createdAt),
    updatedAt: isoTime(updatedAt),
    ...showChecks(given.checks),
  }
}
