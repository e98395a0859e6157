/**
 * Does a rule read an argument as what the approved tool takes it for?
 * Stops: a condition about an argument that can never have that type, so that every call is denied or none.
 * Trusts: the input schema as it was approved.
 * Fails: a schema that says nothing certain about an argument says nothing here.
 */
import type { CompiledRule } from '../cedar/source.ts'
import { argumentKeysOf, textsComparedWith } from './expressions.ts'
import { placeOf, type Finding, type LintMatter, type World } from './finding.ts'

type Schema = Readonly<Record<string, unknown>>

/** What a JSON Schema calls what a rule reads. */
const typesOf: Readonly<Record<string, readonly string[]>> = {
  texts: ['string'],
  numbers: ['integer', 'number'],
  flags: ['boolean'],
  lists: ['array'],
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The schema of one argument by its JSON pointer without the first slash; `absent` where it cannot be there. */
function schemaAt(schema: unknown, key: string): Schema | 'absent' | undefined {
  let found: unknown = schema
  for (const step of key.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))) {
    if (!isSchema(found) || !isSchema(found['properties'])) return undefined
    const { properties, additionalProperties } = found as { properties: Schema; additionalProperties?: unknown }
    if (!Object.hasOwn(properties, step)) return additionalProperties === false ? 'absent' : undefined
    found = properties[step]
  }
  return isSchema(found) ? found : undefined
}

function toolsOf(rule: CompiledRule, { tools }: World): string[] {
  const upstreams = textsComparedWith(rule, 'resource.upstream')
  const names = textsComparedWith(rule, 'resource.name')
  return upstreams.flatMap((upstream) => names.map((name) => `${upstream}/${name}`)).filter((tool) => tools.has(tool))
}

function judge(rule: CompiledRule, tool: string, schema: unknown): Finding[] {
  return argumentKeysOf(rule).flatMap(({ kind, key }): Finding[] => {
    const wanted = typesOf[kind]
    const found = schemaAt(schema, key)
    if (wanted === undefined || found === undefined) return []
    if (found === 'absent') {
      const says = `\`${tool}\` takes no argument \`${key}\``
      const hint = 'correct the name of the argument'
      return [{ ...placeOf(rule), code: 'lint.unknown-argument', severity: 'warning', says, hint }]
    }
    const types = [found['type']].flat().filter((type): type is string => typeof type === 'string')
    if (types.length === 0 || types.some((type) => wanted.includes(type))) return []
    const says = `\`${tool}\` takes \`${key}\` as ${types.join(' or ')}, and the rule reads it from \`context.${kind}\``
    const hint = 'strings are in texts, integers in numbers, booleans in flags, lists of strings in lists'
    return [{ ...placeOf(rule), code: 'lint.argument-type', severity: 'error', says, hint }]
  })
}

/** Arguments that the approved schema of a tool contradicts. */
export function argumentTypes({ rules, world }: LintMatter): Finding[] {
  return rules.flatMap((rule) => toolsOf(rule, world).flatMap((tool) => judge(rule, tool, world.tools.get(tool))))
}
