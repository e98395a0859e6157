import type { CommandPlug } from '../command.ts'
import type { Invocation } from '../invocation.ts'
import { adminApi, type Entry } from '../remote/api.ts'

interface Told {
  readonly rule: string
  deny: number
  allow: number
  fail: number
  /** The last of them. */
  readonly last: string
  readonly samples: unknown[]
}

const eventName = 'policy.shadow-differed'
const readAtOnce = 200

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function sum(entries: readonly Entry[], rule: string | undefined): Told[] {
  const byRule = new Map<string, Told>()
  for (const { time, details = {} } of entries) {
    const name = String(details['rule'])
    if (rule !== undefined && name !== rule) continue
    const told = byRule.get(name) ?? { rule: name, deny: 0, allow: 0, fail: 0, last: time, samples: [] }
    told.deny += numberOf(details['deny'])
    told.allow += numberOf(details['allow'])
    told.fail += numberOf(details['fail'])
    const { samples } = details as { samples?: unknown }
    if (Array.isArray(samples)) told.samples.push(...(samples as unknown[]))
    byRule.set(name, told)
  }
  return [...byRule.values()]
}

async function shadow({ output, signedIn }: Invocation, options: { rule?: string }): Promise<void> {
  const entries = await adminApi(await signedIn()).audit.read({ event: eventName, limit: readAtOnce })
  const told = sum(entries, options.rule)
  output.result(told, () => {
    output.table(
      told,
      [
        { title: 'RULE', cell: (one) => one.rule },
        { title: 'WOULD DENY', cell: (one) => String(one.deny), isFixed: true },
        { title: 'WOULD ALLOW', cell: (one) => String(one.allow), isFixed: true },
        { title: 'FAILED', cell: (one) => String(one.fail), isFixed: true },
        { title: 'LAST', cell: (one) => one.last, isFixed: true },
      ],
      'no rule that is judged aside would have changed anything; rules with `@shadow` are',
    )
    if (options.rule === undefined) return
    for (const one of told) for (const sample of one.samples) output.line(JSON.stringify(sample))
  })
}

export const shadowCommands: CommandPlug = {
  examples: ['castellan policy shadow', "castellan policy shadow --rule 'payments.cedar#no-abroad'"],
  declare(command, open) {
    command
      .command('shadow')
      .description('what rules with @shadow would have changed, by the last 200 records; each is of about a minute')
      .option('--rule <id>', 'only this rule, with some of the calls')
      .action((options: { rule?: string }) => shadow(open(), options))
  },
}
