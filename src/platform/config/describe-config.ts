import { z } from 'zod'
import { configShape } from './schema.ts'

/** One key of the configuration. */
export interface ConfigEntry {
  /** Dotted, e.g. `gateway.port`. */
  readonly key: string
  readonly type: 'text' | 'number' | 'boolean' | 'choice' | 'list' | 'sections'
  /** As it would be written in the file; undefined when it is derived or must be given. */
  readonly default?: string
  readonly docs: string
  /** Never shown; may also be given as a file with `…_FILE`. */
  readonly isSecret: boolean
  /** Relative to the file that names it, else to the working folder. */
  readonly isPath: boolean
  /** A running process takes it over with a reload; others are taken at the next start. */
  readonly isLive: boolean
  /** The environment variable that sets it. */
  readonly variable: string
}

/** Every key, in the order of the schema. */
export function describeConfig(): readonly ConfigEntry[] {
  return entries
}

/** `gateway.publicUrl` → `CASTELLAN_GATEWAY__PUBLIC_URL` */
export function variableOf(key: string): string {
  const words = key.split('.').map((word) => word.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase())
  return `CASTELLAN_${words.join('__')}`
}

function entriesOf(section: z.ZodObject, path: readonly string[]): ConfigEntry[] {
  return Object.entries(section.shape as Record<string, z.core.$ZodType>).flatMap(([name, member]) => {
    const inner = bare(member)
    const here = [...path, name]
    if (inner instanceof z.ZodObject) return entriesOf(inner, here)
    return [describe(here.join('.'), member, inner)]
  })
}

function describe(key: string, member: z.core.$ZodType, inner: z.core.$ZodType): ConfigEntry {
  const meta = member instanceof z.ZodType ? member.meta() : undefined
  const written = defaultOf(member)
  return {
    key,
    type: typeOf(inner),
    ...(written === undefined ? {} : { default: written }),
    docs: meta?.description ?? '',
    isSecret: meta?.['isSecret'] === true,
    isPath: meta?.['isPath'] === true,
    isLive: isLive(key),
    variable: variableOf(key),
  }
}

const liveSections = ['limits', 'identity', 'oauth', 'upstreams', 'policy']
const liveListenerKeys = ['tlsMinVersion', 'allowedNetworks', 'trustedProxies', 'allowedHosts', 'allowedOrigins']

function isLive(key: string): boolean {
  const [section = '', name = ''] = key.split('.')
  if (section === 'gateway' || section === 'admin') return liveListenerKeys.includes(name) || isTlsFile(key)
  if (key === 'upstreams.idleSeconds') return false
  return liveSections.includes(section) || key === 'telemetry.logLevel'
}

/** Whether it names a file of TLS. */
export function isTlsFile(key: string): boolean {
  return key.endsWith('.tlsCertificate') || key.endsWith('.tlsKey')
}

function bare(member: z.core.$ZodType): z.core.$ZodType {
  if (member instanceof z.ZodDefault || member instanceof z.ZodPrefault || member instanceof z.ZodOptional) {
    return bare(member.def.innerType)
  }
  return member instanceof z.ZodPipe ? bare(member.def.in) : member
}

function defaultOf(member: z.core.$ZodType): string | undefined {
  if (!(member instanceof z.ZodDefault || member instanceof z.ZodPrefault)) return undefined
  const { defaultValue } = member.def
  return typeof defaultValue === 'string' ? defaultValue : JSON.stringify(defaultValue).replaceAll(',', ', ')
}

function typeOf(inner: z.core.$ZodType): ConfigEntry['type'] {
  if (inner instanceof z.ZodEnum) return 'choice'
  if (inner instanceof z.ZodBoolean) return 'boolean'
  if (inner instanceof z.ZodArray) return bare(inner.def.element) instanceof z.ZodObject ? 'sections' : 'list'
  return inner instanceof z.ZodNumber ? 'number' : 'text'
}

const entries = entriesOf(configShape, [])
