import { expect, test } from 'vitest'
import { connectClients, makeSnippet } from './connect-clients.ts'

const connection = {
  label: 'castellan-notes',
  url: 'http://localhost:8090/servers/notes/mcp',
  token: `cst_${'a'.repeat(43)}`,
}
const bearer = `Bearer ${connection.token}`

function snippetOf(name: string) {
  const client = connectClients[name]
  if (client === undefined) throw new Error(`no client ${name}`)
  return makeSnippet(name, client, connection)
}

/** The words a POSIX shell makes of a line that uses only double quotes. */
function shellWords(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
}

test.each([
  [
    'claude-code',
    '.mcp.json',
    { mcpServers: { 'castellan-notes': { type: 'http', url: connection.url, headers: { Authorization: bearer } } } },
  ],
  [
    'cursor',
    '~/.cursor/mcp.json',
    { mcpServers: { 'castellan-notes': { url: connection.url, headers: { Authorization: bearer } } } },
  ],
  [
    'vscode',
    '.vscode/mcp.json',
    {
      servers: { 'castellan-notes': { type: 'http', url: connection.url, headers: { Authorization: bearer } } },
      inputs: [],
    },
  ],
])('%s gets the JSON of its own configuration file', (name, file, document) => {
  const snippet = snippetOf(name)
  expect(snippet.file).toBe(file)
  expect(JSON.parse(JSON.stringify(snippet.document))).toEqual(document)
})

test('the Inspector gets a command with the URL, the transport and the header', () => {
  expect(shellWords(snippetOf('inspector').command ?? '')).toEqual([
    'npx',
    '@modelcontextprotocol/inspector',
    '--transport',
    'http',
    '--server-url',
    connection.url,
    '--header',
    `Authorization: ${bearer}`,
  ])
})

test('Claude Code gets a command in which the header comes last, since it takes every word after it', () => {
  expect(shellWords(snippetOf('claude-code').command ?? '')).toEqual([
    'claude',
    'mcp',
    'add',
    '--transport',
    'http',
    'castellan-notes',
    connection.url,
    '--header',
    `Authorization: ${bearer}`,
  ])
})

test('the token is never part of a URL', () => {
  for (const [name, client] of Object.entries(connectClients)) {
    const text = JSON.stringify(makeSnippet(name, client, connection))
    expect(text).toContain(connection.token)
    expect(text).not.toMatch(/https?:[^"\s]*cst_/)
  }
})
