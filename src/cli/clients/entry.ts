import type { ClientFacts, HttpEntry, Scope, StdioEntry, TokenWay } from './client.ts'
import { tokenInput } from './client-table.ts'
import type { Wish } from './edit-file.ts'
import type { PlainValue } from './syntax-problem.ts'

/** What a client is to be told. */
export interface Connection {
  /** Name of the entry. */
  readonly name: string
  readonly url: string
  readonly scope: Scope
  /** The access token, or what stands for it where it is only shown. */
  readonly token: string
  /** The program that speaks for the client, with its arguments; undefined when it speaks HTTP itself. */
  readonly bridge?: readonly string[] | undefined
}

type Members = Readonly<Record<string, PlainValue>>

function nested(pointer: readonly string[], value: PlainValue): PlainValue {
  return pointer.reduceRight<PlainValue>((inner, key) => ({ [key]: inner }), value)
}

/** The names in a JSON pointer (RFC 6901). */
function readPointer(pointer: string): string[] {
  const names = pointer.split('/').slice(1)
  return names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** How this client gets its token; `literal` where it cannot be kept out of the file. */
export function tokenWayOf({ http }: ClientFacts, scope: Scope): TokenWay {
  return http?.token[scope] ?? 'literal'
}

function httpMembers(http: HttpEntry, { url, token, scope }: Connection): Members {
  const isLiteral = http.token[scope] === 'literal'
  const type = http.type === undefined ? {} : { type: http.type }
  const address = { ...type, [http.urlField]: url }
  if (!isLiteral && http.variableField !== undefined) return { ...address, [http.variableField]: 'CASTELLAN_TOKEN' }
  const bearer = `Bearer ${isLiteral ? token : (http.reference ?? token)}`
  return { ...address, ...(nested(readPointer(http.headers), { Authorization: bearer }) as Members) }
}

function stdioMembers(stdio: StdioEntry, words: readonly string[]): Members {
  const type = stdio.type === undefined ? {} : { type: stdio.type }
  const [command = '', ...args] = words
  switch (stdio.shape) {
    case 'one list':
      return { ...type, command: [...words] }
    case 'cmd and args':
      return { ...type, cmd: command, args }
    case 'command and args':
      return { ...type, command, args }
  }
}

/** The entry of a client's file. @returns undefined when the client can be told in no such way */
function makeEntry({ http, stdio }: ClientFacts, connection: Connection): Members | undefined {
  const { bridge } = connection
  if (bridge !== undefined) return stdio === undefined ? undefined : stdioMembers(stdio, bridge)
  return http === undefined ? undefined : httpMembers(http, connection)
}

/** Everything the client's file has to hold for a connection; empty for a client without one. */
export function makeWishes(client: ClientFacts, connection: Connection): Wish[] {
  const { place } = client
  const value = makeEntry(client, connection)
  if (place === undefined || value === undefined) return []
  const { name } = connection
  const defaults = Object.fromEntries(
    Object.entries(client.extra ?? {}).map(([key, each]) => [key, each === '$name' ? name : each]),
  )
  const entry: Wish = { path: readPointer(place.pointer), name, listedBy: place.listedBy, value, defaults }
  const isAsked = connection.bridge === undefined && tokenWayOf(client, connection.scope) === 'prompt'
  if (!isAsked) return [entry]
  const { id, ...input } = tokenInput
  return [entry, { path: ['inputs'], name: id, listedBy: 'id', value: input }]
}
