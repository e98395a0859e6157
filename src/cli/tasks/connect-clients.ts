/** What a client needs to reach one upstream through Castellan. */
export interface Connection {
  /** Name of the entry in the client's configuration. */
  readonly label: string
  readonly url: string
  readonly token: string
}

/** How one MCP client is told about a server. */
export interface ConnectClient {
  readonly title: string
  /** Where the text goes; undefined when it is a command to run. */
  readonly file?: string
  /** A command line that does the same, where the client has one. */
  command?(connection: Connection): string
  /** The JSON of the configuration file, where the client has one. */
  document?(connection: Connection): object
  readonly next: string
}

function authorization({ token }: Connection): { Authorization: string } {
  return { Authorization: `Bearer ${token}` }
}

function headerArgument({ token }: Connection): string {
  return `--header "Authorization: Bearer ${token}"`
}

function entry(connection: Connection): object {
  return { type: 'http', url: connection.url, headers: authorization(connection) }
}

/** The clients that `castellan connect` knows, by the word on the command line. */
export const connectClients: Readonly<Record<string, ConnectClient>> = {
  inspector: {
    title: 'MCP Inspector',
    command: (connection) =>
      `npx @modelcontextprotocol/inspector --transport http --server-url ${connection.url} ${headerArgument(connection)}`,
    next: 'run it, open the page it prints and press Connect',
  },
  'claude-code': {
    title: 'Claude Code',
    file: '.mcp.json',
    // WHY: `--header` takes every word that follows, so it comes after the name and the URL.
    command: (connection) =>
      `claude mcp add --transport http ${connection.label} ${connection.url} ${headerArgument(connection)}`,
    document: (connection) => ({ mcpServers: { [connection.label]: entry(connection) } }),
    next: 'start `claude` and look at /mcp',
  },
  cursor: {
    title: 'Cursor',
    file: '~/.cursor/mcp.json',
    document: (connection) => ({
      mcpServers: { [connection.label]: { url: connection.url, headers: authorization(connection) } },
    }),
    next: 'reload Cursor and look at Settings > MCP',
  },
  vscode: {
    title: 'VS Code',
    file: '.vscode/mcp.json',
    document: (connection) => ({ servers: { [connection.label]: entry(connection) }, inputs: [] }),
    next: 'press Start above the entry in the file',
  },
}

/** What is printed for a client: a command, a document for a file, or both. */
export interface Snippet {
  readonly client: string
  readonly title: string
  readonly file?: string
  readonly command?: string
  readonly document?: object
  readonly next: string
}

export function makeSnippet(name: string, client: ConnectClient, connection: Connection): Snippet {
  const command = client.command?.(connection)
  const document = client.document?.(connection)
  return {
    client: name,
    title: client.title,
    ...(client.file === undefined ? {} : { file: client.file }),
    ...(command === undefined ? {} : { command }),
    ...(document === undefined ? {} : { document }),
    next: client.next,
  }
}
