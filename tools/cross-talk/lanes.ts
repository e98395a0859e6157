/** The ways on which the clients of the proof of cross-talk go: which server, by which path, in which era. */

export interface Lane {
  readonly name: string
  /** Of the client. */
  readonly era: 'legacy' | 'modern'
  /** Path of the endpoint. */
  readonly path: string
  /** Before the names of tools. */
  readonly prefix: string
  /** Whether the server keeps one memory for each client; one for all clients of a person otherwise, or none. */
  readonly memory: 'client' | 'person' | 'none'
  /** Whether calls may be answered later: both designs of tasks are served by one server of the client's own era alone. */
  readonly hasTasks: boolean
}

const direct = (server: string, era: Lane['era'], memory: Lane['memory']): Lane => ({
  name: `${era} client, ${server} server`,
  era,
  path: `/servers/${server}/mcp`,
  prefix: '',
  memory,
  hasTasks: (era === 'modern') === (server === 'modern'),
})

const together = (server: string, era: Lane['era'], memory: Lane['memory']): Lane => ({
  name: `${era} client, ${server} server by /mcp`,
  era,
  path: '/mcp',
  prefix: `${server}__`,
  memory,
  hasTasks: false,
})

export const lanes: readonly Lane[] = [
  direct('legacy', 'legacy', 'client'),
  direct('stdio', 'legacy', 'client'),
  direct('modern', 'modern', 'none'),
  direct('legacy', 'modern', 'person'),
  direct('stdio', 'modern', 'person'),
  direct('modern', 'legacy', 'none'),
  together('legacy', 'modern', 'person'),
  together('modern', 'modern', 'none'),
  together('legacy', 'legacy', 'person'),
  together('modern', 'legacy', 'none'),
]
