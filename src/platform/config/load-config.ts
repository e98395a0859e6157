import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { Misuse } from '#kernel'
import { type ConfigEntry, describeConfig } from './describe-config.ts'
import { type OutsideValue, readEnvironment, readFlags } from './read-environment.ts'
import { type ConfigFile, readConfigFile } from './read-file.ts'
import { type Config, configSchema } from './schema.ts'

export interface LoadConfigOptions {
  /** Values of flags by dotted key, e.g. `{ 'gateway.port': '9000' }`. */
  readonly args?: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly home: string
}

export interface LoadedConfig {
  readonly config: Config
  /** By dotted key: `default`, `file castellan.yaml:12`, `env CASTELLAN_GATEWAY__PORT`, `flag --gateway-port`. */
  readonly origins: Readonly<Record<string, string>>
  /** The file that was read, if there was one. */
  readonly file?: string
}

interface Found {
  readonly value: unknown
  readonly origin: string
  /** Where to look, for a message. */
  readonly place: string
}

/**
 * The configuration: flags over environment over file over defaults.
 * @throws Misuse `config.…` that names the file, line and column, the variable or the flag that is wrong; never
 * with the value of a secret
 */
export function loadConfig(options: LoadConfigOptions): LoadedConfig {
  const file = readConfigFile(options)
  const found = new Map([
    ...fromFile(file, options.home),
    ...fromOutside(readEnvironment(options.env, options.cwd), options),
    ...fromOutside(readFlags(options.args ?? {}), options),
  ])
  if (!found.has('dataDir')) found.set('dataDir', defaultDataDir(options))
  const parsed = configSchema.safeParse(nest(found))
  if (!parsed.success) throw explain(parsed.error.issues, found)
  return {
    config: parsed.data,
    origins: Object.fromEntries(describeConfig().map(({ key }) => [key, found.get(key)?.origin ?? 'default'])),
    ...(file === undefined ? {} : { file: file.path }),
  }
}

function fromFile(file: ConfigFile | undefined, home: string): [string, Found][] {
  if (file === undefined) return []
  return [...file.values].map(([key, { value, line, column }]) => [
    key,
    {
      value: key === 'dataDir' ? absolute(value, dirname(file.path), home) : value,
      origin: `file ${basename(file.path)}:${line}`,
      place: `${file.path}:${line}:${column}`,
    },
  ])
}

function fromOutside(values: ReadonlyMap<string, OutsideValue>, options: LoadConfigOptions): [string, Found][] {
  const entries = describeConfig()
  return [...values].map(([key, { text, origin }]) => {
    const entry = entries.find((one) => one.key === key)
    const value = key === 'dataDir' ? absolute(text, options.cwd, options.home) : typed(text, entry)
    return [key, { value, origin, place: origin.replace(/^(env|flag) /, '') }]
  })
}

/** Text that cannot be read as the type stays text, and the schema says what it expected. */
function typed(text: string, entry: ConfigEntry | undefined): unknown {
  if (entry?.type === 'number' && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (entry?.type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true'
  return text
}

function absolute(path: unknown, folder: string, home: string): unknown {
  if (typeof path !== 'string' || path === '') return path
  return path.startsWith('~/') ? join(home, path.slice(2)) : resolve(folder, path)
}

function defaultDataDir({ env, home }: LoadConfigOptions): Found {
  const dataHome = env['XDG_DATA_HOME'] ?? ''
  const folder = isAbsolute(dataHome) ? dataHome : join(home, '.local/share')
  return { value: join(folder, 'castellan'), origin: 'default', place: 'default' }
}

function nest(found: ReadonlyMap<string, Found>): Record<string, unknown> {
  const root: Record<string, unknown> = {}
  const sections = new Map<string, Record<string, unknown>>()
  for (const [key, { value }] of found) {
    const [section = '', name] = key.split('.')
    if (name === undefined) {
      root[section] = value
      continue
    }
    const members = sections.get(section) ?? {}
    members[name] = value
    sections.set(section, members)
    root[section] = members
  }
  return root
}

function explain(
  issues: readonly { path: readonly PropertyKey[]; message: string }[],
  found: ReadonlyMap<string, Found>,
): Misuse {
  const sentences = issues.map(({ path, message }) => {
    const key = path.join('.')
    return `${found.get(key)?.place ?? 'default'}: \`${key}\`: ${message}`
  })
  const [key = ''] = issues.map(({ path }) => path.join('.'))
  const docs = describeConfig().find((entry) => entry.key === key)?.docs ?? ''
  return new Misuse('config.value', sentences.join('; '), docs === '' ? 'correct the value' : `\`${key}\`: ${docs}`)
}
