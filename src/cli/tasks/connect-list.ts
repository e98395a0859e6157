import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { ClientFacts, Scope } from '../clients/client.ts'
import { clientTable } from '../clients/client-table.ts'
import { parseText } from '../clients/edit-file.ts'
import { expand, locate, type Machine } from '../clients/locate.ts'
import { isTable, SyntaxProblem, type PlainValue } from '../clients/syntax-problem.ts'
import { readUserFile } from '../clients/user-file.ts'
import { CliFailure } from '../failure.ts'

/** One client of the table and what of it is on this machine. */
export interface FoundClient {
  readonly client: string
  readonly title: string
  /** `file`: its file is there; `installed`: its folder is; `broken`: its file cannot be read. */
  readonly found: 'file' | 'installed' | 'broken' | 'no'
  readonly file: string | null
  readonly projectFile: string | null
  /** Names of entries that castellan could have written. */
  readonly entries: readonly string[]
  readonly way: 'http' | 'bridge' | 'by hand'
  readonly hasLink: boolean
}

function namesIn(value: PlainValue | undefined, client: ClientFacts): string[] {
  const { place } = client
  if (place === undefined) return []
  const holder = isTable(value) ? value[place.pointer.slice(1)] : undefined
  const names = Array.isArray(holder)
    ? (holder as readonly PlainValue[]).map((each) => (isTable(each) ? each[place.listedBy ?? 'name'] : undefined))
    : Object.keys(isTable(holder) ? holder : {})
  return names.map(String).filter((name) => /^castellan(-|$)/.test(name))
}

async function lookInto(client: ClientFacts, path: string): Promise<Pick<FoundClient, 'found' | 'entries'>> {
  const format = client.place?.format ?? 'json'
  try {
    const { text } = readUserFile({ path })
    return { found: 'file', entries: text === undefined ? [] : namesIn(await parseText(text, format), client) }
  } catch (error) {
    if (error instanceof SyntaxProblem || error instanceof CliFailure) return { found: 'broken', entries: [] }
    throw error
  }
}

async function lookFor(client: ClientFacts, path: string | undefined, machine: Machine) {
  if (path === undefined) return { found: 'no', entries: [] } as const
  if (existsSync(path)) return lookInto(client, path)
  const folders = [dirname(path), ...(client.traces ?? []).map((trace) => expand(trace, machine))]
  // WHY: the home folder is there on every machine, and says nothing about a client that keeps its file in it.
  const isInstalled = folders.some((folder) => folder !== machine.home && existsSync(folder))
  return { found: isInstalled ? 'installed' : 'no', entries: [] } as const
}

function wayOf(client: ClientFacts): FoundClient['way'] {
  if (client.place === undefined) return 'by hand'
  return client.reach === 'bridge' ? 'bridge' : 'http'
}

/** Every client of the table, with what was found of it here. Nothing is changed and nobody is asked. */
export async function listClients(machine: Machine): Promise<FoundClient[]> {
  const pathOf = (client: ClientFacts, scope: Scope): string | undefined =>
    client.place === undefined ? undefined : locate(client.place, scope, machine)?.path
  return Promise.all(
    Object.entries(clientTable).map(async ([name, client]) => ({
      client: name,
      title: client.title,
      ...(await lookFor(client, pathOf(client, 'user'), machine)),
      file: pathOf(client, 'user') ?? null,
      projectFile: pathOf(client, 'project') ?? null,
      way: wayOf(client),
      hasLink: client.link !== undefined,
    })),
  )
}
