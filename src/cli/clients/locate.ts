import { isAbsolute, join } from 'node:path'
import type { PathBySystem, Place, Scope, System } from './client.ts'

/** The machine as paths of configuration files depend on it. */
export interface Machine {
  readonly system: System
  readonly home: string
  readonly workingDirectory: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** What other systems are treated as: they keep settings where Linux does. */
export function systemOf(platform: string): System {
  return platform === 'darwin' || platform === 'win32' ? platform : 'linux'
}

function fromEnvironment({ environment, home }: Machine, name: string, otherwise: string): string {
  const folder = environment[name]
  // SPEC: XDG Base Directory, section 3: a path that is not absolute is ignored.
  return folder !== undefined && isAbsolute(folder) ? folder : join(home, ...otherwise.split('/'))
}

/** A path of the table as it is on this machine. */
export function expand(path: string | PathBySystem, machine: Machine): string {
  const [root = '', ...rest] = (typeof path === 'string' ? path : path[machine.system]).split('/')
  switch (root) {
    case '$CONFIG':
      return join(fromEnvironment(machine, 'XDG_CONFIG_HOME', '.config'), ...rest)
    case '$APPDATA':
      return join(fromEnvironment(machine, 'APPDATA', 'AppData/Roaming'), ...rest)
    case '$SUPPORT':
      return join(machine.home, 'Library', 'Application Support', ...rest)
    default:
      return join(machine.home, ...rest)
  }
}

export interface Located {
  readonly path: string
  readonly scope: Scope
  /** The folder that no symbolic link on the way may lead out of; a project is somebody else's work. */
  readonly boundary?: string
}

/** The client's file in this scope; undefined when the client has none there. */
export function locate(place: Place, scope: Scope, machine: Machine): Located | undefined {
  const { workingDirectory } = machine
  if (scope === 'project') {
    if (place.project === undefined) return undefined
    return { path: join(workingDirectory, ...place.project.split('/')), scope, boundary: workingDirectory }
  }
  return place.user === undefined ? undefined : { path: expand(place.user, machine), scope }
}

/** A path as its owner writes it. */
export function shortPath(path: string, home: string): string {
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path
}
