/**
 * Could anybody do anything, and could anybody change the policy again?
 * Stops: a set of rules that only denies; a forbid that shuts the door behind whoever published it.
 * Trusts: `covers`.
 * Fails: whoever could change the policy again at some hour of the coming week, with some second factor, is not locked out.
 */
import type { Factor } from '#kernel'
import { namespace } from '../cedar/schema.ts'
import type { CompiledRule } from '../cedar/source.ts'
import { comparable, covers } from './covers.ts'
import { placeOf, type Finding, type LintMatter, type World } from './finding.ts'

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

type Changer = World['changers'][number]

const signIns: readonly (readonly Factor[])[] = [
  ['password', 'totp'],
  ['passkey'],
  ['identity-provider', 'identity-provider-mfa'],
]
const hourMs = 3_600_000
const hoursOfWeek = Array.from({ length: 7 * 24 }, (_, hour) => hour)
/** WHY: each question costs time, and who is locked out is asked all of them. */
const maxAsked = 200
const maxNamed = 5

/**
 * The rules that keep somebody from changing the policy; undefined of one who can. The admin plane is asked without
 * address, arguments and flow: a rule that reads what nobody told denies there.
 */
function lockedBy({ decide, nowMs }: LintMatter, person: Changer): readonly string[] | undefined {
  const ask = (factors: readonly Factor[], at: number) => {
    const credential = { kind: 'session', id: 'lint', expiresAt: at + hourMs } as const
    return decide({ ...person, factors, credential }, 'roles:write', 'castellan', { at })
  }
  for (const hour of hoursOfWeek) {
    for (const factors of signIns) if (ask(factors, nowMs + hour * hourMs).isAllowed) return undefined
  }
  return ask(['password', 'totp'], nowMs).reasons.map(({ rule }) => rule)
}

/** Those who may change the policy and could not any more. */
function lockedOut(matter: LintMatter): Finding[] {
  const changers = matter.world.changers.slice(0, maxAsked)
  const locked = changers.flatMap((person) => {
    const by = lockedBy(matter, person)
    return by === undefined ? [] : [{ name: person.name, by }]
  })
  const [first] = locked
  if (first === undefined) return []
  const isAll = locked.length === changers.length
  const rule = matter.rules.find(({ id, effect }) => effect === 'forbid' && first.by.includes(id))
  // WHY: that a role grants less is told with who has it; a rule does it unseen.
  if (rule === undefined && !isAll) return []
  const names = locked.slice(0, maxNamed).map(({ name }) => name)
  const who = `${names.join(', ')}${locked.length > names.length ? ` and ${locked.length - names.length} more` : ''}`
  const place = rule === undefined ? { rule: '' } : placeOf(rule)
  const hint =
    'name the actions that the rule is about, or whom it is for; the admin plane knows no address and no flow'
  if (!isAll) {
    const says = `of ${changers.length} who may change the policy, ${locked.length} could not any more: ${who}`
    return [{ ...place, code: 'lint.locks-out-some', severity: 'warning', says, hint }]
  }
  const says = `nobody could change the policy again: not ${who}, at any hour of the coming week`
  return [{ ...place, code: 'lint.locks-out', severity: 'error', says, hint }]
}

/** Deny-only sets, and rules that keep everybody from changing the policy. */
export function lockOut(matter: LintMatter): Finding[] {
  const { rules, source } = matter
  const shipped = new Set(
    source.roles.filter((role) => 'isShipped' in role && role.isShipped === true).map(({ name }) => name),
  )
  const own = rules.filter((rule) => !rule.isShadow && !isShipped(rule, shipped))
  const always = own
    .filter((rule) => rule.effect === 'forbid' && rule.remedy === undefined && shutsWayBack(rule))
    .map((rule) => ({
      ...placeOf(rule),
      code: 'lint.locks-out',
      severity: 'error' as const,
      says: 'nobody could change the policy again: it forbids `roles:write` to everybody',
      hint: 'leave the administrative actions out, or name whom it is for',
    }))
  const closed: Finding[] = always.length > 0 ? always : lockedOut(matter)
  const isDenyOnly = own.length > 0 && own.every(({ effect }) => effect === 'forbid')
  const [first] = own
  if (!isDenyOnly || first === undefined) return closed
  const says = 'besides the shipped roles nothing permits anything: these rules only deny'
  const hint = 'add a role or a permit, or accept this where administrators alone call tools'
  return [...closed, { ...placeOf(first), code: 'lint.deny-only', severity: 'warning', says, hint }]
}
