import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { Misuse } from '#kernel'
import { readAtRest, refuseCut } from '#platform/files'
import { hasPassword } from './database-url.ts'
import { type ConfigEntry, describeConfig } from './describe-config.ts'
import { type OutsideValue, readEnvironment, readFlags } from './read-environment.ts'
import { type ConfigFile, type FileValue, type Place, readConfigFile } from './read-file.ts'
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
  /**
   * The same flags, the same environment and the file as it is found, when it is at rest.
   * @throws Misuse as `loadConfig` does, and `files.cut`, `files.being-written`
   */
  again(): Promise<LoadedConfig>
}

interface Found {
  readonly value: unknown
  readonly origin: string
  /** Where to look, for a message. @param at index of an entry, when the value is a list */
  place(at?: number): string
}

/**
 * The configuration: flags over environment over file over defaults.
 * @throws Misuse `config.…` that names the file, line and column, the variable or the flag that is wrong; never
 * with the value of a secret
 */
export function loadConfig(options: LoadConfigOptions): LoadedConfig {
  return load(options, readConfigFile(options))
}

function load(options: LoadConfigOptions, file: ConfigFile | undefined): LoadedConfig {
  const found = new Map([
    ...fromFile(file, options.home),
    ...fromOutside(readEnvironment(options.env, options.cwd), options),
    ...fromOutside(readFlags(options.args ?? {}), options),
  ])
  if (!found.has('dataDir')) found.set('dataDir', defaultDataDir(options))
  const parsed = configSchema.safeParse(nest(found))
  if (!parsed.success) throw explain(parsed.error.issues, found)
  if (file?.isExposed === true) refuseExposed(file, parsed.data)
  return {
    config: parsed.data,
    origins: Object.fromEntries(describeConfig().map(({ key }) => [key, found.get(key)?.origin ?? 'default'])),
    ...(file === undefined ? {} : { file: file.path }),
    again: () => loadAgain(options, file),
  }
}

async function loadAgain(options: LoadConfigOptions, before: ConfigFile | undefined): Promise<LoadedConfig> {
  if (before === undefined) return loadConfig(options)
  return readAtRest(before.path, () => {
    const file = readConfigFile(options)
    refuseCut(before.path, before.text, file?.path === before.path ? file.text : undefined)
    return load(options, file)
  })
}

/** A file without a secret may be read by all. */
function refuseExposed(file: ConfigFile, config: Config): void {
  const secret = describeConfig().find(
    ({ key, isSecret }) => isSecret && file.values.has(key) && isGuarded(config, key),
  )
  if (secret === undefined) return
  throw new Misuse(
    'config.exposed',
    `\`${file.path}\` holds \`${secret.key}\` and can be read by every account of this machine`,
    `run \`chmod 600 ${file.path}\`, or name a file with the secret in ${secret.variable}_FILE`,
  )
}

/** An address of a database without a password is no secret. */
function isGuarded(config: Config, key: string): boolean {
  return key !== 'database.url' || hasPassword(config.database.url.reveal())
}

function fromFile(file: ConfigFile | undefined, home: string): [string, Found][] {
  if (file === undefined) return []
  const folder = dirname(file.path)
  const placeOf = ({ line, column }: Place) => `${file.path}:${line}:${column}`
  return [...file.values].map(([key, written]: [string, FileValue]) => [
    key,
    {
      value: entryOf(key)?.isPath === true ? absolute(written.value, folder, home) : written.value,
      origin: `file ${basename(file.path)}:${written.line}`,
      place: (at) => placeOf((at === undefined ? undefined : written.places?.[at]) ?? written),
    },
  ])
}

function fromOutside(values: ReadonlyMap<string, OutsideValue>, options: LoadConfigOptions): [string, Found][] {
  return [...values].map(([key, { text, origin }]) => {
    const entry = entryOf(key)
    const value = entry?.isPath === true ? absolute(text, options.cwd, options.home) : typed(text, entry)
    return [key, { value, origin, place: () => origin.replace(/^(env|flag) /, '') }]
  })
}

function entryOf(key: string): ConfigEntry | undefined {
  return describeConfig().find((entry) => entry.key === key)
}

function readJsonText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Text that cannot be read as the type stays text, and the schema says what it expected. */
function typed(text: string, entry: ConfigEntry | undefined): unknown {
  if (entry?.type === 'number' && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (entry?.type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true'
  if (entry?.type === 'list') return text.trim() === '[]' ? [] : text.split(',').map((one) => one.trim())
  return entry?.type === 'sections' ? readJsonText(text) : text
}

function absolute(path: unknown, folder: string, home: string): unknown {
  if (typeof path !== 'string' || path === '') return path
  return path.startsWith('~/') ? join(home, path.slice(2)) : resolve(folder, path)
}

function defaultDataDir({ env, home }: LoadConfigOptions): Found {
  const dataHome = env['XDG_DATA_HOME'] ?? ''
  const folder = isAbsolute(dataHome) ? dataHome : join(home, '.local/share')
  return { value: join(folder, 'castellan'), origin: 'default', place: () => 'default' }
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
    const { key, at, inside } = keyOf(path)
    const entry = at === undefined ? '' : `entry ${at + 1}${inside === '' ? '' : `, \`${inside}\``}: `
    return `${found.get(key)?.place(at) ?? 'default'}: \`${key}\`: ${entry}${message}`
  })
  const [first] = issues
  const { key } = keyOf(first?.path ?? [])
  const docs = entryOf(key)?.docs ?? ''
  return new Misuse('config.value', sentences.join('; '), docs === '' ? 'correct the value' : `\`${key}\`: ${docs}`)
}

/** The key that an issue is about, which entry of its list, and where in that. */
function keyOf(path: readonly PropertyKey[]): { key: string; at?: number; inside: string } {
  const place = path.findIndex((part) => typeof part === 'number')
  if (place === -1) return { key: path.join('.'), inside: '' }
  const inside = path.slice(place + 1).join('.')
  return { key: path.slice(0, place).join('.'), at: Number(path[place]), inside }
}
