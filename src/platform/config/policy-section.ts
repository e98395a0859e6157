import { z } from 'zod'
import { count, list, network, text, yesOrNo } from './fields.ts'

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const zone = z.strictObject({
  name: text.regex(/^[a-z][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and dashes, such as `office`').meta({
    description: 'What rules call it: `context.zones.contains("office")`.',
  }),
  addresses: list(network, 1).meta({ description: 'Its addresses and networks.' }),
})

/** How the policy is judged and changed. */
export const policySection = z
  .strictObject({
    timeZone: text.refine(isTimeZone, 'expected the name of a time zone, such as `Europe/Berlin`').default('UTC').meta({
      description: 'The time zone of `context.time` in rules, by its IANA name.',
    }),
    networks: z
      .array(zone, 'expected a list')
      .max(1_000, 'expected at most 1000')
      .refine((zones) => new Set(zones.map(({ name }) => name)).size === zones.length, 'expected each name once')
      .default([])
      .meta({ description: 'Networks that rules know by name.' }),
    rejudgedPerMillion: count(0, 1_000_000)
      .default(1_000)
      .meta({
        description:
          'How many of a million decisions the official Cedar engine judges again, in a thread of its own after they were ' +
          'answered. One disagreement denies everything until another policy is published.',
      }),
    fourEyes: yesOrNo.default(false).meta({
      description:
        'Whether the policy is changed by two persons: one makes a draft, another one with roles:write publishes it.',
    }),
  })
  .prefault({})
