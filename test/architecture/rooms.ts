/** The floors of the house: a room may import only from a lower floor. */
export const floors: Readonly<Record<string, number>> = {
  kernel: 0,
  protocol: 1,
  platform: 1,
  audit: 2,
  identity: 3,
  policy: 3,
  inspection: 3,
  secrets: 3,
  upstream: 3,
  gateway: 4,
  incidents: 4,
  compliance: 4,
  admin: 5,
  cli: 5,
}

/** Files above every floor. */
export const roofFiles: readonly string[] = ['src/main.ts', 'src/compose.ts']

/** The room a path lies in, or undefined outside `src/` and for the files above every floor. */
export function roomOf(path: string): string | undefined {
  const match = /^src\/([^/]+)\//.exec(path)
  return match?.[1]
}

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/')
}

/** Where the program may touch the machine outside `platform`, and why. */
export const machinePlaces: readonly { readonly path: RegExp; readonly why: string }[] = [
  { path: /^src\/platform\//, why: 'contact with the machine is its question' },
  { path: /^src\/kernel\/clock\.ts$/, why: 'the one clock the rooms are given' },
  { path: /^src\/upstream\/transports\//, why: 'plug folder: upstream servers are reached over processes and sockets' },
  {
    path: /^src\/audit\/(ledger|storage|worker|verify)[^/]*(\/.*)?$/,
    why: "the ledger's storage and its offline reader",
  },
  {
    path: /^src\/policy\/(rejudge|cedar\/aside)\//,
    why: 'a thread of its own, where the official engine stops nobody',
  },
  { path: /^src\/secrets\/(providers|leases)\//, why: 'plug folder: secrets come from files and services' },
  { path: /^src\/identity\/methods\/password\/common-passwords\.ts$/, why: 'reads the list it ships with' },
  { path: /^src\/identity\/pages\/look\//, why: 'reads the stylesheets it ships with' },
  { path: /^src\/admin\/pages?(\/|\.ts$)/, why: 'reads the static pages it ships with' },
  { path: /^src\/cli\//, why: 'the terminal, the session file and the admin API are its peers' },
  { path: /^src\/(main|compose)\.ts$/, why: 'the process entry' },
]
