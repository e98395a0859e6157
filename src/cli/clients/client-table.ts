import type { ClientFacts, PathBySystem } from './client.ts'

/** The same path below the folder that each system has for the settings of programs. */
function settings(path: string): PathBySystem {
  return { darwin: `$SUPPORT/${path}`, linux: `$CONFIG/${path}`, win32: `$APPDATA/${path}` }
}

const codeStorage = 'Code/User/globalStorage'
const mcpServers = '/mcpServers'
const headers = '/headers'
const literal = { user: 'literal', project: 'literal' } as const
/** A file of a project is shared with others, so the token stays out of it. */
const literalForOneself = { user: 'literal', project: 'environment' } as const
const commandAndArgs = { shape: 'command and args' } as const
const direct = 'direct'

function base64Json(value: object): string {
  return encodeURIComponent(Buffer.from(JSON.stringify(value)).toString('base64'))
}

const anthropic: Readonly<Record<string, ClientFacts>> = {
  'claude-code': {
    title: 'Claude Code',
    place: { user: '~/.claude.json', project: '.mcp.json', format: 'json', pointer: mcpServers },
    http: { urlField: 'url', type: 'http', headers, token: literalForOneself, reference: '${CASTELLAN_TOKEN}' },
    stdio: { ...commandAndArgs, type: 'stdio' },
    reach: direct,
    // WHY: `--header` takes every word that follows, so it comes after the name and the URL.
    command: ({ name, url, header, scope }) =>
      `claude mcp add --transport http --scope ${scope} ${name} ${url} --header "Authorization: ${header}"`,
    traces: ['~/.claude'],
    next: 'start `claude` and look at /mcp',
  },
  'claude-desktop': {
    title: 'Claude Desktop',
    place: { user: settings('Claude/claude_desktop_config.json'), format: 'json', pointer: mcpServers },
    stdio: commandAndArgs,
    reach: 'bridge',
    next: 'quit Claude Desktop, start it again and look at Settings > Developer',
  },
  'claude-ai': {
    title: 'claude.ai',
    reach: 'public',
    next: 'open claude.ai, Settings > Connectors > Add custom connector, and paste the URL',
  },
}

const editors: Readonly<Record<string, ClientFacts>> = {
  cursor: {
    title: 'Cursor',
    place: { user: '~/.cursor/mcp.json', project: '.cursor/mcp.json', format: 'json', pointer: mcpServers },
    http: { urlField: 'url', headers, token: literalForOneself, reference: '${env:CASTELLAN_TOKEN}' },
    stdio: commandAndArgs,
    reach: direct,
    link: ({ name, url }) =>
      `cursor://anysphere.cursor-deeplink/mcp/install?name=${encodeURIComponent(name)}&config=${base64Json({ url, headers: { Authorization: 'Bearer ${env:CASTELLAN_TOKEN}' } })}`,
    next: 'reload Cursor and look at Settings > MCP',
  },
  vscode: {
    title: 'VS Code',
    place: { user: settings('Code/User/mcp.json'), project: '.vscode/mcp.json', format: 'jsonc', pointer: '/servers' },
    http: {
      urlField: 'url',
      type: 'http',
      headers,
      token: { user: 'prompt', project: 'prompt' },
      reference: '${input:castellan-token}',
    },
    stdio: { ...commandAndArgs, type: 'stdio' },
    reach: direct,
    link: ({ name, url }) =>
      `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name, type: 'http', url, headers: { Authorization: 'Bearer ${input:castellan-token}' }, inputs: [tokenInput] }))}`,
    next: 'run "MCP: List Servers" in VS Code, start the server and paste the token when it asks',
  },
  windsurf: {
    title: 'Windsurf',
    place: { user: '~/.codeium/windsurf/mcp_config.json', format: 'json', pointer: mcpServers },
    http: { urlField: 'serverUrl', headers, token: literal },
    stdio: commandAndArgs,
    reach: direct,
    next: 'press Refresh in Windsurf, Settings > Cascade > MCP servers',
  },
  antigravity: {
    title: 'Antigravity',
    place: { user: '~/.gemini/antigravity/mcp_config.json', format: 'json', pointer: mcpServers },
    http: { urlField: 'serverUrl', headers, token: literal },
    stdio: commandAndArgs,
    reach: direct,
    next: 'press Refresh in Antigravity, Manage MCP servers',
  },
  zed: {
    title: 'Zed',
    place: {
      user: {
        darwin: '~/.config/zed/settings.json',
        linux: '$CONFIG/zed/settings.json',
        win32: '$APPDATA/Zed/settings.json',
      },
      project: '.zed/settings.json',
      format: 'jsonc',
      pointer: '/context_servers',
    },
    http: { urlField: 'url', headers, token: literal },
    stdio: commandAndArgs,
    reach: direct,
    next: 'look at the Agent panel of Zed, Settings > MCP servers',
  },
  cline: {
    title: 'Cline',
    place: {
      user: settings(`${codeStorage}/saoudrizwan.claude-dev/settings/cline_mcp_settings.json`),
      format: 'json',
      pointer: mcpServers,
    },
    http: { urlField: 'url', type: 'streamableHttp', headers, token: literal },
    stdio: commandAndArgs,
    extra: { disabled: false },
    reach: direct,
    next: 'look at the MCP servers of Cline',
  },
  roo: {
    title: 'Roo Code',
    place: {
      user: settings(`${codeStorage}/rooveterinaryinc.roo-cline/settings/mcp_settings.json`),
      project: '.roo/mcp.json',
      format: 'json',
      pointer: mcpServers,
    },
    http: {
      urlField: 'url',
      type: 'streamable-http',
      headers,
      token: literalForOneself,
      reference: '${env:CASTELLAN_TOKEN}',
    },
    stdio: commandAndArgs,
    extra: { disabled: false },
    reach: direct,
    next: 'look at the MCP servers of Roo Code',
  },
  continue: {
    title: 'Continue',
    place: {
      user: '~/.continue/config.yaml',
      format: 'yaml',
      pointer: mcpServers,
      listedBy: 'name',
      frame: { name: 'Local Config', version: '1.0.0', schema: 'v1' },
    },
    http: { urlField: 'url', type: 'streamable-http', headers: '/requestOptions/headers', token: literal },
    stdio: { ...commandAndArgs, type: 'stdio' },
    reach: direct,
    next: 'use agent mode in Continue; only there tools are called',
  },
  kiro: {
    title: 'Kiro',
    place: {
      user: '~/.kiro/settings/mcp.json',
      project: '.kiro/settings/mcp.json',
      format: 'json',
      pointer: mcpServers,
    },
    http: { urlField: 'url', headers, token: literalForOneself, reference: '${CASTELLAN_TOKEN}' },
    stdio: commandAndArgs,
    extra: { disabled: false },
    reach: direct,
    next: 'look at the MCP servers in the Kiro panel',
  },
  trae: {
    title: 'Trae',
    place: { user: settings('Trae/User/mcp.json'), project: '.trae/mcp.json', format: 'json', pointer: mcpServers },
    http: { urlField: 'url', headers, token: literal },
    stdio: commandAndArgs,
    reach: direct,
    next: 'look at Settings > MCP in Trae',
  },
}

const programs: Readonly<Record<string, ClientFacts>> = {
  codex: {
    title: 'Codex CLI',
    place: {
      user: '~/.codex/config.toml',
      project: '.codex/config.toml',
      format: 'toml',
      pointer: '/mcp_servers',
    },
    http: {
      urlField: 'url',
      headers: '/http_headers',
      token: literalForOneself,
      variableField: 'bearer_token_env_var',
    },
    stdio: commandAndArgs,
    reach: direct,
    command: ({ name, url }) => `codex mcp add ${name} --url ${url} --bearer-token-env-var CASTELLAN_TOKEN`,
    next: 'start `codex` and look at /mcp',
  },
  gemini: {
    title: 'Gemini CLI',
    place: { user: '~/.gemini/settings.json', project: '.gemini/settings.json', format: 'jsonc', pointer: mcpServers },
    http: { urlField: 'httpUrl', headers, token: literalForOneself, reference: '${CASTELLAN_TOKEN}' },
    stdio: commandAndArgs,
    reach: direct,
    command: ({ name, url, header, scope }) =>
      `gemini mcp add --transport http --scope ${scope} ${name} ${url} --header "Authorization: ${header}"`,
    next: 'start `gemini` and look at /mcp',
  },
  opencode: {
    title: 'OpenCode',
    place: {
      user: {
        darwin: '~/.config/opencode/opencode.json',
        linux: '$CONFIG/opencode/opencode.json',
        win32: '~/.config/opencode/opencode.json',
      },
      project: 'opencode.json',
      format: 'jsonc',
      pointer: '/mcp',
    },
    http: {
      urlField: 'url',
      type: 'remote',
      headers,
      token: literalForOneself,
      reference: '{env:CASTELLAN_TOKEN}',
    },
    stdio: { type: 'local', shape: 'one list' },
    extra: { enabled: true },
    reach: direct,
    next: 'start `opencode` and look at `opencode mcp list`',
  },
  goose: {
    title: 'Goose',
    place: {
      user: {
        darwin: '~/.config/goose/config.yaml',
        linux: '$CONFIG/goose/config.yaml',
        win32: '$APPDATA/Block/goose/config/config.yaml',
      },
      format: 'yaml',
      pointer: '/extensions',
    },
    http: { urlField: 'uri', type: 'streamable_http', headers, token: literal },
    stdio: { type: 'stdio', shape: 'cmd and args' },
    extra: { name: '$name', enabled: true, timeout: 300 },
    reach: direct,
    next: 'start `goose session`',
  },
  'lm-studio': {
    title: 'LM Studio',
    place: { user: '~/.lmstudio/mcp.json', format: 'json', pointer: mcpServers },
    http: { urlField: 'url', headers, token: literal },
    stdio: commandAndArgs,
    reach: direct,
    next: 'look at Program > Integrations in LM Studio',
  },
  amp: {
    title: 'Amp',
    place: {
      user: {
        darwin: '~/.config/amp/settings.json',
        linux: '$CONFIG/amp/settings.json',
        win32: '~/.config/amp/settings.json',
      },
      project: '.amp/settings.json',
      format: 'jsonc',
      pointer: '/amp.mcpServers',
    },
    http: { urlField: 'url', headers, token: literalForOneself, reference: '${CASTELLAN_TOKEN}' },
    stdio: commandAndArgs,
    reach: direct,
    next: 'start `amp` and look at `amp mcp list`',
  },
  inspector: {
    title: 'MCP Inspector',
    place: { user: '~/.mcp-inspector/mcp.json', format: 'json', pointer: mcpServers },
    http: { urlField: 'url', type: 'streamable-http', headers, token: literal },
    stdio: { ...commandAndArgs, type: 'stdio' },
    reach: direct,
    command: ({ url, header }) =>
      `npx @modelcontextprotocol/inspector --transport http --server-url ${url} --header "Authorization: ${header}"`,
    isRunByCommand: true,
    next: 'run it, open the page it prints and press Connect',
  },
}

/** What VS Code asks for, once, and keeps encrypted. */
export const tokenInput = {
  type: 'promptString',
  id: 'castellan-token',
  description: 'Access token of castellan',
  password: true,
} as const

/** The clients that `castellan connect` knows, by the word on the command line. */
export const clientTable: Readonly<Record<string, ClientFacts>> = { ...anthropic, ...editors, ...programs }
