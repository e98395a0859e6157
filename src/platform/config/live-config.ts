import { Misuse, Secret } from '#kernel'
import { type ConfigEntry, describeConfig, isTlsFile } from './describe-config.ts'
import type { LoadedConfig } from './load-config.ts'
import type { Config } from './schema.ts'

/** What became of one reading of the configuration. */
export interface ReloadResult {
  /** `refused`: something is wrong with it, nothing changed. */
  readonly outcome: 'applied' | 'unchanged' | 'refused'
  /** Keys whose new value is in force. */
  readonly changed: readonly string[]
  /** Keys whose new value is taken at the next start. */
  readonly needRestart: readonly string[]
  /** One sentence, when it was refused; never with the value of a secret. */
  readonly problem?: string
  readonly hint?: string
}

/** The configuration of a running process: read again on request, swapped as a whole or not at all. */
export interface LiveConfig {
  readonly current: Config
  /**
   * Reads, checks, then swaps; one at a time.
   * @param record called with what is about to be applied or was refused; when it throws, nothing is swapped
   */
  reload(record?: (result: ReloadResult) => Promise<void>): Promise<ReloadResult>
  /**
   * Something made of the configuration, swapped together with it.
   * @param make throws Misuse when it cannot be made, and then nothing is swapped
   */
  derive<T>(make: (config: Config) => T): { readonly current: T }
  /** Tries what the schema cannot see, such as files that the configuration names, before anything is swapped. */
  addCheck(check: Check): void
  /** @param apply called with each new configuration, in the order of registration; must take what it was checked for */
  onChange(apply: (config: Config) => void | Promise<void>): void
}

/** Tries what the schema cannot see. @returns live keys whose file has another content. @throws Misuse */
type Check = (config: Config) => readonly string[]

const restartHint = 'the one before is in force; restart to take the new one'

/** Makes what is next; what it gives back puts that in force. */
type Derivation = (config: Config) => () => void

/** What is in force, and all that was made of it. */
function createInForce(first: Config) {
  const derivations: Derivation[] = []
  const followers: ((config: Config) => void | Promise<void>)[] = []
  const inForce = { current: first }

  async function put(config: Config, putDerived: readonly (() => void)[]): Promise<void> {
    for (const putInForce of putDerived) putInForce()
    inForce.current = config
    for (const apply of followers) await apply(config)
  }

  return {
    get current() {
      return inForce.current
    },
    derivations,
    followers,
    /** As a whole, or not at all. @throws Misuse when a follower cannot take it */
    async swap(next: Config): Promise<void> {
      const before = inForce.current
      const [goOn, goBack] = [next, before].map((config) => derivations.map((derive) => derive(config)))
      try {
        await put(next, goOn ?? [])
      } catch (thrown) {
        await put(before, goBack ?? [])
        if (thrown instanceof Misuse) throw thrown
        const says = 'the new configuration could not be put in force'
        throw new Misuse('config.not-applied', says, restartHint, { cause: thrown })
      }
    },
  }
}

export function createLiveConfig(first: LoadedConfig): LiveConfig {
  const inForce = createInForce(first.config)
  const { derivations, followers } = inForce
  const checks: Check[] = []
  let loaded = first
  let last: Promise<unknown> = Promise.resolve()

  async function read() {
    const found = await loaded.again()
    const { live, needRestart } = compare(inForce.current, found.config)
    const next = withKeys(inForce.current, found.config, live)
    for (const derive of derivations) derive(next)
    const touched = checks.flatMap((check) => check(next))
    return { found, next, changed: [...new Set([...live, ...touched])], needRestart }
  }

  async function reloadOnce(record: (result: ReloadResult) => Promise<void>): Promise<ReloadResult> {
    const seen = await attempt(read)
    if (seen instanceof Misuse) return refused(seen, record)
    const { found, next, changed, needRestart } = seen
    const result: ReloadResult = { outcome: changed.length === 0 ? 'unchanged' : 'applied', changed, needRestart }
    if (changed.length > 0) {
      await record(result)
      const failure = await attempt(() => inForce.swap(next))
      if (failure instanceof Misuse) return refused(failure, record)
    }
    loaded = found
    return result
  }

  return {
    get current() {
      return inForce.current
    },
    reload(record = async () => undefined) {
      const mine = last.then(() => reloadOnce(record))
      last = mine.catch(() => undefined)
      return mine
    },
    derive(make) {
      const box = { current: make(inForce.current) }
      derivations.push((config) => {
        const made = make(config)
        return () => void (box.current = made)
      })
      return box
    },
    addCheck: (check) => void checks.push(check),
    onChange: (apply) => void followers.push(apply),
  }
}

async function attempt<T>(run: () => T | Promise<T>): Promise<T | Misuse> {
  try {
    return await run()
  } catch (thrown) {
    if (thrown instanceof Misuse) return thrown
    throw thrown
  }
}

async function refused(problem: Misuse, record: (result: ReloadResult) => Promise<void>): Promise<ReloadResult> {
  const result: ReloadResult = {
    outcome: 'refused',
    changed: [],
    needRestart: [],
    problem: problem.message,
    hint: problem.hint,
  }
  await record(result)
  return result
}

function compare(before: Config, after: Config): { live: string[]; needRestart: string[] } {
  const differing = describeConfig().filter((entry) => valueText(before, entry) !== valueText(after, entry))
  // WHY: a listener cannot begin or cease to speak TLS while its connections are open.
  const isTaken = ({ key, isLive }: ConfigEntry) =>
    isLive && !(isTlsFile(key) && (isUnset(before, key) || isUnset(after, key)))
  return {
    live: differing.filter(isTaken).map(({ key }) => key),
    needRestart: differing.filter((entry) => !isTaken(entry)).map(({ key }) => key),
  }
}

function isUnset(config: Config, key: string): boolean {
  return valueAt(config, key) === undefined
}

function valueText(config: Config, { key }: ConfigEntry): string {
  const value = valueAt(config, key)
  return JSON.stringify(value instanceof Secret ? value.reveal() : (value ?? null))
}

/** The value under a dotted key; undefined when it is not set. */
export function valueAt(config: Config, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((part, name) => (part as Readonly<Record<string, unknown>> | undefined)?.[name], config)
}

/** One configuration with some keys of another. */
function withKeys(base: Config, other: Config, keys: readonly string[]): Config {
  const sections: Record<string, unknown> = { ...base }
  for (const key of keys) {
    const [section = '', name = ''] = key.split('.')
    sections[section] = { ...(sections[section] as object), [name]: valueAt(other, key) }
  }
  return sections as Config
}
