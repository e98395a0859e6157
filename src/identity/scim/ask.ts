/**
 * What does a request ask for? Its query and body, in bounds, before anything is looked up.
 * Stops: bodies over the limit, of another type, compressed, or read in two ways; wishes that contradict each other.
 * Trusts: nothing. Fails: with the first thing that cannot be read.
 * @see RFC 7644, sections 3.4.2 and 3.14
 */
import type { IncomingMessage } from 'node:http'
import { type Refusal, refuse } from '#kernel'
import { readBody } from '#platform/http'
import { readStrictObject } from '#protocol'
import { mostPerPage, scimLimits, usualPerPage } from './limits.ts'
import { scimRefusals } from './refusals.ts'
import { wrongSyntax } from '../scim-resources/operations.ts'
import { type Members, wrongValue } from '../scim-resources/read-values.ts'
import type { Page } from '../scim-resources/search.ts'
import type { Wanted } from '../scim-resources/show.ts'
import type { IsMeant } from '../scim-resources/users.ts'

const types: readonly string[] = ['application/scim+json', 'application/json']
const mostWishes = 100

/** Reads a body. */
export async function readJsonBody(req: IncomingMessage): Promise<Members | Refusal> {
  const [type = ''] = (req.headers['content-type'] ?? '').split(';', 1)
  if (!types.includes(type.trim().toLowerCase())) return refuse(scimRefusals.typeUnsupported)
  const body = await readBody(req, scimLimits.bodyBytes)
  if (body === 'encoded') return refuse(scimRefusals.typeUnsupported)
  if (body === 'too-large') return refuse(scimRefusals.bodyTooLarge, { names: { what: 'bytes' } })
  if (body === 'aborted') return wrongSyntax('end of the body')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return wrongSyntax('UTF-8')
  }
  return readStrictObject(text) ?? wrongSyntax('JSON')
}

/** The query, each name once and in any case. */
export function readQuery(req: IncomingMessage): ReadonlyMap<string, string> | Refusal {
  const url = req.url ?? ''
  const at = url.indexOf('?')
  const pairs = at === -1 ? [] : [...new URLSearchParams(url.slice(at + 1))]
  const query = new Map(pairs.map(([name, value]) => [name.toLowerCase(), value]))
  return query.size === pairs.length ? query : wrongSyntax('query')
}

function listOf(text: string | undefined): readonly string[] | undefined {
  const list = text?.split(',').filter((one) => one.trim() !== '')
  return list === undefined || list.length === 0 ? undefined : list
}

/** Which attributes an answer is to have. */
export function readWanted(query: ReadonlyMap<string, string>): Wanted | Refusal {
  const [only, without] = [listOf(query.get('attributes')), listOf(query.get('excludedattributes'))]
  if (only !== undefined && without !== undefined) return wrongValue('attributes and excludedAttributes')
  if ((only ?? without ?? []).length > mostWishes) return wrongValue('attributes')
  return { only, without }
}

function wholeNumber(text: string | undefined, otherwise: number): number | undefined {
  if (text === undefined) return otherwise
  return /^-?\d{1,9}$/.test(text) ? Number(text) : undefined
}

/** Which page of a search. */
export function readPage(query: ReadonlyMap<string, string>): Page | Refusal {
  const wanted = readWanted(query)
  if ('kind' in wanted) return wanted
  if (query.has('sortby') || query.has('sortorder')) {
    return refuse(scimRefusals.notSupported, { names: { what: 'sortBy' } })
  }
  const startIndex = wholeNumber(query.get('startindex'), 1)
  const count = wholeNumber(query.get('count'), usualPerPage)
  if (startIndex === undefined) return wrongValue('startIndex')
  if (count === undefined) return wrongValue('count')
  // SPEC: less than one is one, less than none is none.
  const bounds = { startIndex: Math.max(1, startIndex), count: Math.min(Math.max(0, count), mostPerPage) }
  const filter = query.get('filter')
  return { ...bounds, wanted, filter: filter === '' ? undefined : filter }
}

/** Which version a change is meant for. */
export function readIfMatch(req: IncomingMessage): IsMeant {
  const header = req.headers['if-match']
  if (header === undefined || header.trim() === '*') return undefined
  const versions = new Set([...header.matchAll(/(?:W\/)?"(\d{1,15})"/g)].map(([, version]) => version))
  return (version) => versions.has(String(version))
}
