import { resolve } from 'node:path'
import { Misuse } from '#kernel'
import { readText } from '#platform/files'
import { type ConfigEntry, describeConfig } from './describe-config.ts'
import { nearest } from './nearest.ts'

/** A value from outside the file, as text, and the variable or flag it came from. */
export interface OutsideValue {
  readonly text: string
  /** `env CASTELLAN_…` or `flag --…` */
  readonly origin: string
}

/** Far more than a URL or a token; less than harms. */
const maxSecretBytes = 64 * 1024

type Environment = Readonly<Record<string, string | undefined>>

/** Read by the command line and the lookup of the file, not by the schema. */
const otherVariables = new Set(['CASTELLAN_CONFIG', 'CASTELLAN_PASSWORD', 'CASTELLAN_CODE'])

/** What Kubernetes sets in every pod for a service whose name begins with `castellan`. */
const servicePattern = /_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_[A-Z]+)?$/

/**
 * Values set by environment variables, by dotted key. `CASTELLAN_<KEY>_FILE` names a file with the value of a
 * secret key. An empty variable counts as unset.
 * @throws Misuse `config.unknown-variable`, `config.set-twice`, `config.unreadable`, `config.exposed`
 */
export function readEnvironment(env: Environment, cwd: string): Map<string, OutsideValue> {
  const entries = describeConfig()
  const values = new Map<string, OutsideValue>()
  for (const entry of entries) {
    const value = readEntry(entry, env, cwd)
    if (value !== undefined) values.set(entry.key, value)
  }
  refuseUnknown(env, entries)
  return values
}

function readEntry(entry: ConfigEntry, env: Environment, cwd: string): OutsideValue | undefined {
  const text = env[entry.variable] ?? ''
  const fileVariable = `${entry.variable}_FILE`
  const path = entry.isSecret ? (env[fileVariable] ?? '') : ''
  if (text !== '' && path !== '') {
    throw new Misuse(
      'config.set-twice',
      `${entry.variable} and ${fileVariable} are both set`,
      'keep one of them; a file keeps the secret out of the list of processes',
    )
  }
  if (path !== '') return { text: readSecretFile(resolve(cwd, path), fileVariable), origin: `env ${fileVariable}` }
  return text === '' ? undefined : { text, origin: `env ${entry.variable}` }
}

function readSecretFile(path: string, variable: string): string {
  try {
    const { text, isExposed } = readText(path, maxSecretBytes)
    if (!isExposed) return text.replace(/\r?\n$/, '')
  } catch (error) {
    const reason = error instanceof Error && !('code' in error) ? `: ${error.message}` : ''
    throw new Misuse(
      'config.unreadable',
      `the file named by ${variable} cannot be read${reason}`,
      `check that \`${path}\` is there and readable for this account`,
      { cause: error },
    )
  }
  throw new Misuse(
    'config.exposed',
    `the file named by ${variable} can be read by every account of this machine`,
    `run \`chmod 600 ${path}\`, and replace the secret if others were here`,
  )
}

function refuseUnknown(env: Environment, entries: readonly ConfigEntry[]): void {
  const known = new Set(
    entries.flatMap((entry) => (entry.isSecret ? [entry.variable, `${entry.variable}_FILE`] : [entry.variable])),
  )
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('CASTELLAN_') || known.has(name) || otherVariables.has(name)) continue
    if (servicePattern.test(name) || /^(tcp|udp|sctp):\/\//.test(value ?? '')) continue
    const guess = nearest(name, [...known])
    throw new Misuse(
      'config.unknown-variable',
      `${name} sets nothing`,
      guess === undefined ? '`castellan config schema` lists every key' : `did you mean ${guess}?`,
    )
  }
}

/**
 * Values given as flags, by dotted key.
 * @throws Misuse `config.unknown-key`
 */
export function readFlags(args: Readonly<Record<string, string>>): Map<string, OutsideValue> {
  const keys = new Set(describeConfig().map((entry) => entry.key))
  return new Map(
    Object.entries(args).map(([key, text]) => {
      if (!keys.has(key)) {
        throw new Misuse('config.unknown-key', `\`${key}\` is not a key`, '`castellan config schema` lists every key')
      }
      return [key, { text, origin: `flag --${flagOf(key)}` }]
    }),
  )
}

function flagOf(key: string): string {
  return key.replaceAll('.', '-').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
