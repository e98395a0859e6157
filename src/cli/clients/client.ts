/** How a client's file is written. `json` takes no comments, `jsonc` takes comments and trailing commas. */
export type Format = 'json' | 'jsonc' | 'yaml' | 'toml'

/** Whether the entry is for everything a person does, or for the project in the current folder. */
export type Scope = 'user' | 'project'

export type System = 'darwin' | 'linux' | 'win32'

/** A path from `~`, `$CONFIG` (XDG_CONFIG_HOME), `$APPDATA` or `$SUPPORT` (Library/Application Support) on. */
export type PathBySystem = Readonly<Record<System, string>>

/** How a client is given the token in an entry that it sends itself. */
export type TokenWay =
  /** The token stands in the file. */
  | 'literal'
  /** The file names the environment variable CASTELLAN_TOKEN. */
  | 'environment'
  /** The client asks once and keeps it. */
  | 'prompt'

/** Where an entry goes. */
export interface Place {
  readonly user?: string | PathBySystem
  /** From the folder of the project on. */
  readonly project?: string
  readonly format: Format
  /** JSON pointer (RFC 6901) of what holds the entries by name. */
  readonly pointer: string
  /** The entries are items of a list, named by this member. */
  readonly listedBy?: string
  /** What a new file needs beside the entries. */
  readonly frame?: Readonly<Record<string, string>>
}

/** Members of an entry with which the client speaks HTTP itself. */
export interface HttpEntry {
  readonly urlField: string
  /** Label of `type`; without one, `type` is not written. */
  readonly type?: string
  /** JSON pointer of the headers inside the entry. */
  readonly headers: string
  readonly token: Readonly<Record<Scope, TokenWay>>
  /** How the file names an environment variable; the part that is written after `Bearer `. */
  readonly reference?: string
  /** A member that names the variable itself, instead of a header. */
  readonly variableField?: string
}

/** Members of an entry with which the client starts a program and speaks over its stdin and stdout. */
export interface StdioEntry {
  readonly type?: string
  readonly shape: 'command and args' | 'cmd and args' | 'one list'
}

/** How one MCP client is told about a server. Everything that differs between clients is in this shape. */
export interface ClientFacts {
  readonly title: string
  /** Absent where a client is configured by hand. */
  readonly place?: Place
  readonly http?: HttpEntry
  readonly stdio?: StdioEntry
  /** Members that a new entry of this client carries besides; `$name` stands for the entry's name. */
  readonly extra?: Readonly<Record<string, string | number | boolean>>
  /**
   * `direct`: it connects from this machine. `bridge`: it connects from elsewhere, so a private gateway needs
   * `castellan bridge`. `public`: it always connects from elsewhere.
   */
  readonly reach: 'direct' | 'bridge' | 'public'
  /** The client's own command line for it. */
  readonly command?: CommandLine
  /** The command line is how this client is used, and its file the exception. */
  readonly isRunByCommand?: boolean
  /** A link that opens the client with an entry that holds no token. */
  readonly link?: (entry: { name: string; url: string }) => string
  /** Folders that are there when the client is; beside the folder of its file. */
  readonly traces?: readonly string[]
  readonly next: string
}

/** @param connection `header` is the value of Authorization */
export type CommandLine = (connection: { name: string; url: string; header: string; scope: Scope }) => string
