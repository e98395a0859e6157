import { parse as parseToml } from 'smol-toml'
import { expect } from 'vitest'
import { parse as parseYaml } from 'yaml'

/** A value in somebody's file. */
export const secret = 'sk-never-to-be-shown'
const bearer = { Authorization: expect.stringMatching(/^Bearer cst_/) }

/** Tabs, CRLF, and no line break at its end. */
export const plainJson = `{\r\n\t"theme": "dark",\r\n\t"mcpServers": {\r\n\t\t"other": { "command": "npx", "env": { "KEY": "${secret}" } }\r\n\t}\r\n}`
const withComments = (key: string) => `// mine
{
  "theme": "dark", // ${secret}
  /* servers */
  "${key}": {
    "other": { "url": "https://other.example", "headers": { "x": "${secret}" } }, // kept
    // the end
  },
  "last": [1, 2,],
}
`
const yamlOf = (key: string, body: string) => `# mine ${secret}\n${key}:\n${body}\n# the end\nlast: &x ${secret}\n`
const toml = `# mine ${secret}
model = "o3" # kept

[mcp_servers.other]
command = "npx"
args = [
  "-y", # [mcp_servers.castellan]
]
env = { KEY = "${secret}" }

[profiles.last]
text = """
[mcp_servers.castellan-books]
${secret}
"""
`

export type Reader = (text: string) => unknown
const json: Reader = (text) => JSON.parse(text)
/** Comments and trailing commas taken out; none of the texts here holds them inside quotes. */
const jsonc: Reader = (text) =>
  JSON.parse(text.replaceAll(/\/\*[^]*?\*\/|(?<!:)\/\/.*$/gm, '').replaceAll(/,(\s*[\]}])/g, '$1'))

/** One client: its file, how it is read, and what is added to it. */
export interface Case {
  readonly client: string
  readonly file: string
  readonly read: Reader
  /** A file that somebody has. */
  readonly before: string
  /** What is added to it, below the root. */
  readonly at: readonly string[]
  readonly entry: (url: string) => object
}

function plain(client: string, file: string, entry: (url: string) => object): Case {
  return { client, file, read: json, before: plainJson, at: ['mcpServers', 'castellan-books'], entry }
}

/** Where VS Code keeps things on Linux. */
export const code = '.config/Code/User'
/** Every client that has a file. */
export const cases: readonly Case[] = [
  plain('claude-code', '.claude.json', (url) => ({ type: 'http', url, headers: bearer })),
  plain('claude-desktop', '.config/Claude/claude_desktop_config.json', (url) => ({
    command: process.execPath,
    args: expect.arrayContaining(['bridge', url, '--token-file']),
  })),
  plain('cursor', '.cursor/mcp.json', (url) => ({ url, headers: bearer })),
  plain('windsurf', '.codeium/windsurf/mcp_config.json', (url) => ({ serverUrl: url, headers: bearer })),
  plain('antigravity', '.gemini/antigravity/mcp_config.json', (url) => ({ serverUrl: url, headers: bearer })),
  plain('cline', `${code}/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json`, (url) => ({
    type: 'streamableHttp',
    url,
    headers: bearer,
    disabled: false,
  })),
  plain('roo', `${code}/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json`, (url) => ({
    type: 'streamable-http',
    url,
    headers: bearer,
    disabled: false,
  })),
  plain('kiro', '.kiro/settings/mcp.json', (url) => ({ url, headers: bearer, disabled: false })),
  plain('trae', '.config/Trae/User/mcp.json', (url) => ({ url, headers: bearer })),
  plain('lm-studio', '.lmstudio/mcp.json', (url) => ({ url, headers: bearer })),
  plain('inspector', '.mcp-inspector/mcp.json', (url) => ({ type: 'streamable-http', url, headers: bearer })),
  {
    client: 'vscode',
    file: `${code}/mcp.json`,
    read: jsonc,
    before: withComments('servers'),
    at: ['servers', 'castellan-books'],
    entry: (url) => ({ type: 'http', url, headers: { Authorization: 'Bearer ${input:castellan-token}' } }),
  },
  {
    client: 'gemini',
    file: '.gemini/settings.json',
    read: jsonc,
    before: withComments('mcpServers'),
    at: ['mcpServers', 'castellan-books'],
    entry: (url) => ({ httpUrl: url, headers: bearer }),
  },
  {
    client: 'zed',
    file: '.config/zed/settings.json',
    read: jsonc,
    before: withComments('context_servers'),
    at: ['context_servers', 'castellan-books'],
    entry: (url) => ({ url, headers: bearer }),
  },
  {
    client: 'opencode',
    file: '.config/opencode/opencode.json',
    read: jsonc,
    before: withComments('mcp'),
    at: ['mcp', 'castellan-books'],
    entry: (url) => ({ type: 'remote', url, headers: bearer, enabled: true }),
  },
  {
    client: 'amp',
    file: '.config/amp/settings.json',
    read: jsonc,
    before: withComments('amp.mcpServers'),
    at: ['amp.mcpServers', 'castellan-books'],
    entry: (url) => ({ url, headers: bearer }),
  },
  {
    client: 'codex',
    file: '.codex/config.toml',
    read: (text) => JSON.parse(JSON.stringify(parseToml(text))) as unknown,
    before: toml,
    at: ['mcp_servers', 'castellan-books'],
    entry: (url) => ({ url, http_headers: bearer }),
  },
  {
    client: 'goose',
    file: '.config/goose/config.yaml',
    read: parseYaml,
    before: yamlOf('extensions', `  other: # ${secret}\n    cmd: npx\n    args:\n      - -y   # kept`),
    at: ['extensions', 'castellan-books'],
    entry: (url) => ({
      type: 'streamable_http',
      uri: url,
      headers: bearer,
      name: 'castellan-books',
      enabled: true,
      timeout: 300,
    }),
  },
  {
    client: 'continue',
    file: '.continue/config.yaml',
    read: parseYaml,
    before: yamlOf('mcpServers', `- name: other # ${secret}\n  url: https://other.example`),
    at: ['mcpServers', '1'],
    entry: (url) => ({
      name: 'castellan-books',
      type: 'streamable-http',
      url,
      requestOptions: { headers: bearer },
    }),
  },
]
