/**
 * Is there anybody who could meet a remedy?
 * Stops: an approval that is asked for and that nobody can give.
 * Trusts: the holders of roles as they were read.
 * Fails: a role that is not there is an error; one that nobody holds yet is a warning.
 */
import { placeOf, type Finding, type LintMatter } from './finding.ts'

/** Approvals by roles that are not there, that nobody has, or that too few have. */
export function unmeetableRemedies({ rules, source, world }: LintMatter): Finding[] {
  const roles = new Set(source.roles.map(({ name }) => name))
  return rules.flatMap((rule): Finding[] => {
    const { approvers } = rule.remedy ?? {}
    if (approvers === undefined) return []
    const unknown = approvers.roles.filter((role) => !roles.has(role))
    if (unknown.length > 0) {
      const says = `approvers are to have the role \`${unknown.join('`, `')}\`, which is not there`
      const hint = 'make the role in the same folder, or correct the name'
      return [{ ...placeOf(rule), code: 'lint.unknown-role', severity: 'error', says, hint }]
    }
    const holders = approvers.roles.reduce((sum, role) => sum + (world.holders.get(role) ?? 0), 0)
    if (holders >= approvers.count) return []
    const says =
      holders === 0
        ? `nobody who is active has the role \`${approvers.roles.join('`, `')}\`, so nobody can approve`
        : `${approvers.count} have to approve, and ${holders} could`
    const hint = 'give the role to more people; nobody approves their own call'
    return [{ ...placeOf(rule), code: 'lint.unmeetable-remedy', severity: 'warning', says, hint }]
  })
}
