/**
 * Does a rule speak of something that is not there?
 * Stops: a misspelt name, by which a permit gives nothing and a forbid stops nothing.
 * Trusts: the names that were read with the rules.
 * Fails: what may come later is a warning; what this change itself would have to bring is an error.
 */
import { namespace } from '../cedar/schema.ts'
import type { CompiledRule } from '../cedar/source.ts'
import { entitiesOf, partsOf, textsAskedOf, textsComparedWith } from './expressions.ts'
import { placeOf, type Finding, type LintMatter, type World } from './finding.ts'

function finding(rule: CompiledRule, of: Omit<Finding, 'rule' | 'file' | 'line' | 'column'>): Finding {
  return { ...placeOf(rule), ...of }
}

function unknownEntities(rule: CompiledRule, roles: ReadonlySet<string>, world: World): Finding[] {
  return entitiesOf(rule).flatMap(({ type, id }): Finding[] => {
    if (type === `${namespace}::Role` && !roles.has(id)) {
      const hint = 'make the role in the same folder, or correct the name'
      return [finding(rule, { code: 'lint.unknown-role', severity: 'error', says: `there is no role \`${id}\``, hint })]
    }
    if (type !== `${namespace}::Group` || world.groups.has(id)) return []
    const says = `no directory has told of a group \`${id}\``
    const hint = 'correct the name, or accept this where groups come with the tokens of an issuer'
    return [finding(rule, { code: 'lint.unknown-group', severity: 'warning', says, hint })]
  })
}

function unknownUpstreams(rule: CompiledRule, { upstreams }: World): Finding[] {
  const unknown = textsComparedWith(rule, 'resource.upstream').filter((name) => !upstreams.has(name))
  return [...new Set(unknown)].map((name) =>
    finding(rule, {
      code: 'lint.unknown-upstream',
      severity: 'warning',
      says: `no upstream \`${name}\` is registered`,
      hint: 'correct the name, or register it with `castellan upstream add`',
    }),
  )
}

function isAboutTools(rule: CompiledRule): boolean {
  const { entity_type: scope } = rule.json.resource as { entity_type?: string }
  const told = partsOf(rule).flatMap((node) => {
    const is = node['is'] as { entity_type?: string } | undefined
    return is?.entity_type ?? []
  })
  const kinds = new Set(scope === undefined ? told : [...told, scope])
  return kinds.has(`${namespace}::Tool`) && !['Resource', 'Prompt'].some((kind) => kinds.has(`${namespace}::${kind}`))
}

function unknownTools(rule: CompiledRule, world: World): Finding[] {
  if (!isAboutTools(rule)) return []
  const upstreams = textsComparedWith(rule, 'resource.upstream').filter((name) => world.upstreams.has(name))
  if (upstreams.length === 0) return []
  const isKnown = (name: string) => upstreams.some((upstream) => world.tools.has(`${upstream}/${name}`))
  const unknown = textsComparedWith(rule, 'resource.name').filter((name) => !isKnown(name))
  return [...new Set(unknown)].map((name) =>
    finding(rule, {
      code: 'lint.unknown-tool',
      severity: 'warning',
      says: `\`${upstreams.join('`, `')}\` ${upstreams.length === 1 ? 'has' : 'have'} shown no tool \`${name}\``,
      hint: 'correct the name; `castellan upstream tools <name>` lists the tools there are',
    }),
  )
}

function unknownNetworks(rule: CompiledRule, { networks }: World): Finding[] {
  const unknown = textsAskedOf(rule, 'context.zones').filter((name) => !networks.has(name))
  return [...new Set(unknown)].map((name) =>
    finding(rule, {
      code: 'lint.unknown-network',
      severity: 'error',
      says: `the configuration names no network \`${name}\``,
      hint: 'name it in `policy.networks`, or correct the name',
    }),
  )
}

/** Roles, groups, upstreams, tools and networks that are not there. */
export function unknownNames({ rules, source, world }: LintMatter): Finding[] {
  const roles = new Set(source.roles.map(({ name }) => name))
  return rules.flatMap((rule) => [
    ...unknownEntities(rule, roles, world),
    ...unknownUpstreams(rule, world),
    ...unknownTools(rule, world),
    ...unknownNetworks(rule, world),
  ])
}
