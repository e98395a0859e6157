/**
 * Could anybody do anything, and could anybody change the policy again?
 * Stops: a set of rules that only denies; a forbid that shuts the door behind whoever published it.
 * Trusts: `covers`.
 * Fails: a forbid with a condition is not found here: in some circumstance it does not apply.
 */
import { namespace } from '../cedar/schema.ts'
import type { CompiledRule } from '../cedar/source.ts'
import { comparable, covers } from './covers.ts'
import { placeOf, type Finding, type LintMatter } from './finding.ts'

/** What somebody needs who takes a policy back. */
const wayBack = comparable({
  id: '',
  effect: 'permit',
  origin: { kind: 'role', role: '', grantNumber: 0 },
  text: '',
  json: {
    effect: 'permit',
    principal: { op: 'All' },
    action: { op: '==', entity: { type: `${namespace}::Action`, id: 'roles:write' } },
    resource: { op: 'is', entity_type: `${namespace}::AdminPlane` },
    conditions: [],
  },
  isShadow: false,
  isQuiet: false,
})

function isShipped({ origin }: CompiledRule, shipped: ReadonlySet<string>): boolean {
  return origin.kind === 'role' && shipped.has(origin.role)
}

const everyPerson = JSON.stringify({ op: 'is', entity_type: `${namespace}::Person` })

/** INVARIANT: a program never changes the policy, so a forbid for all persons is one for all. */
function shutsWayBack(rule: CompiledRule): boolean {
  const own = comparable(rule)
  return covers(own.principal === everyPerson ? { ...own, principal: wayBack.principal } : own, wayBack)
}

/** Deny-only sets, and rules that keep everybody from changing the policy. */
export function lockOut({ rules, source }: LintMatter): Finding[] {
  const shipped = new Set(
    source.roles.filter((role) => 'isShipped' in role && role.isShipped === true).map(({ name }) => name),
  )
  const own = rules.filter((rule) => !rule.isShadow && !isShipped(rule, shipped))
  const closed = own
    .filter((rule) => rule.effect === 'forbid' && rule.remedy === undefined && shutsWayBack(rule))
    .map((rule) => ({
      ...placeOf(rule),
      code: 'lint.locks-out',
      severity: 'error' as const,
      says: 'nobody could change the policy again: it forbids `roles:write` to everybody',
      hint: 'leave the administrative actions out, or name whom it is for',
    }))
  const isDenyOnly = own.length > 0 && own.every(({ effect }) => effect === 'forbid')
  const [first] = own
  if (!isDenyOnly || first === undefined) return closed
  const says = 'besides the shipped roles nothing permits anything: these rules only deny'
  const hint = 'add a role or a permit, or accept this where administrators alone call tools'
  return [...closed, { ...placeOf(first), code: 'lint.deny-only', severity: 'warning', says, hint }]
}
