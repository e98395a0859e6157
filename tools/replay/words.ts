/**
 * The world of the proof `replay`: who calls what, in which circumstances, with which arguments. A call is kept as it was
 * made; what the ledger masks of it is masked by the ledger.
 */
import type { Classification } from '#kernel'
import type { Random } from '../fuzz/random.ts'

export const upstreams = ['crm', 'files', 'mail', 'pay'] as const
export const tools = ['drop', 'export', 'list', 'read', 'send', 'write'] as const
export const roles = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'] as const
export const office = '10.0.0.0/8'
export const recipients = ['a', 'b', 'ops'] as const
export const modes = ['fast', 'safe'] as const
export const colours = ['blue', 'red'] as const
const labels = ['restricted', 'untrusted'] as const

export interface Caller {
  readonly id: string
  readonly name: string
  readonly isService: boolean
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly factors: readonly ('password' | 'totp' | 'passkey')[]
  readonly factorsAt: number | undefined
  readonly isSelfRegistered: boolean | undefined
}

/** What the caller gave under each key that rules read; undefined where nothing. */
export interface Given {
  readonly to: unknown
  readonly amount: unknown
  readonly dry: unknown
  readonly tags: unknown
  readonly mode: unknown
}

/** Keys of which the ledger keeps less than was given. */
export type Masked = ReadonlySet<keyof Given>

export interface Call {
  readonly caller: Caller
  readonly upstream: string
  readonly tool: string
  readonly classification: Classification
  readonly address: string
  readonly at: number
  readonly flow: ReadonlySet<string>
  readonly met: ReadonlySet<string>
  readonly given: Given
  readonly masked: Masked
}

export function makeCallers(random: Random, count: number): Caller[] {
  return Array.from({ length: count }, (_, at) => ({
    id: `person-${at}`,
    name: `p${at}`,
    isService: random.oneIn(5),
    roles: roles.filter(() => random.oneIn(3)),
    groups: random.oneIn(3) ? ['dir/staff'] : [],
    factors: (['password', 'totp', 'passkey'] as const).filter(() => random.oneIn(2)),
    factorsAt: random.oneIn(3) ? undefined : 1_780_000_000_000 + random.below(1_000) * 1_000,
    isSelfRegistered: random.oneIn(2) ? undefined : random.oneIn(2),
  }))
}

const effects = ['read', 'write', 'execute', 'execute', 'query', 'administer'] as const
const sensitivities = ['public', 'internal', 'confidential', 'restricted'] as const

export function classificationOf(upstream: string, tool: string): Classification {
  const at = (upstream.length * 7 + tool.length * 3) % 24
  return {
    effect: effects[at % 6] ?? 'execute',
    sensitivity: sensitivities[at % 4] ?? 'restricted',
    dataClasses: at % 3 === 0 ? ['personal'] : [],
    owner: at % 5 === 0 ? 'team-a' : '',
    bringsUntrusted: at % 2 === 0,
    isOutlet: at % 7 !== 0,
  }
}

/** What a rule takes for a mask would be one: e-mail addresses are personal data, and the ledger keeps none. */
const email = 'ann@example.com'

function makeGiven(random: Random): { given: Given; masked: Masked } {
  const masked = new Set<keyof Given>()
  const mask = <Value>(key: keyof Given, value: Value): Value => {
    masked.add(key)
    return value
  }
  const text = (key: 'to' | 'mode', words: readonly string[]): unknown => {
    const kind = random.below(12)
    if (kind === 0) return 7
    if (kind === 1) return undefined
    if (kind === 2) return mask(key, email)
    return kind === 3 ? 'other' : random.pick(words)
  }
  const given = {
    to: text('to', recipients),
    mode: text('mode', modes),
    amount: random.oneIn(4) ? undefined : random.oneIn(15) ? '12' : random.below(300),
    dry: random.oneIn(3) ? undefined : random.oneIn(15) ? 'yes' : random.oneIn(2),
    tags: random.oneIn(4)
      ? undefined
      : random.oneIn(12)
        ? mask('tags', [email, 'red'])
        : random.oneIn(15)
          ? 'red'
          : colours.filter(() => random.oneIn(2)),
  }
  return { given, masked }
}

/** @param remedied ids of rules whose remedy can be met */
export function makeCall(random: Random, callers: readonly Caller[], at: number, remedied: readonly string[]): Call {
  const [upstream, tool] = [random.pick(upstreams), random.pick(tools)]
  return {
    caller: random.pick(callers),
    upstream,
    tool,
    classification: classificationOf(upstream, tool),
    address: random.oneIn(2) ? `10.0.${random.below(256)}.7` : '203.0.113.9',
    at,
    flow: new Set(labels.filter(() => random.oneIn(4))),
    met: new Set(remedied.filter(() => random.oneIn(4))),
    ...makeGiven(random),
  }
}

/** The arguments as the client sent them. */
export function argumentsOf({ given }: Call): Record<string, unknown> {
  const { mode, ...rest } = given
  const told = Object.entries(rest).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(told), opts: mode === undefined ? {} : { mode } }
}
